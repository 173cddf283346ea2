-- The shortest useful script: every item's order of greatest diversity, from an .npy file.
-- Run it in the repository's folder: luajit examples/minimal.lua [embeddings.npy]

package.path = "lua/?.lua;" .. package.path
local vkd = require("vkd")
local embeddings = assert(vkd.load_npy(arg[1] or "tests/golden/odd_257x7.npy"))
local sequences, report = assert(vkd.batch_compute(embeddings, { progress = true }))
print(("%d sequences in %.2f s on %s"):format(sequences.count, report.seconds, report.device))
local shown = math.min(10, sequences.length)
print("from item 1 (counted from 1): " .. table.concat(sequences[1], " ", 1, shown))
