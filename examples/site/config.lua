-- What the site is made of and what its things are called: the one file to change for texts of
-- your own. Paths hold from any folder, since they begin with that of this file.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"

return {
  -- JSON Lines: an object with "id" and "text" on each line. nil: the ids stand for the texts.
  texts = here .. "../data/psalms.jsonl",
  -- Their embeddings in the same order, in any format that vkd.load reads.
  embeddings = here .. "../data/psalms.npy",

  -- The finished site, and beside it what it is computed from: that need not be published.
  site = here .. "../../target/site",
  results = here .. "../../target/site-results",

  title = "The Psalms",
  language = "en",
  item = "verse",
  items = "verses",
  group = "psalm",
  about = "The Book of Psalms in the King James Version, verse by verse.",

  -- Items of one group have one colour on the map and stand together. nil: there are no groups.
  group_of = function(id) return (id:gsub(":%d+$", "")) end,

  -- Texts are cut to about so many bytes where they stand in a list.
  excerpt = 240,

  -- The lists of each page, with up to `length` items each. Every one has a rule, or it holds the
  -- neighbours; see docs/rules.md. `walk` is what a walk along the list is called. `brief` leaves
  -- the texts out.
  lists = {
    {
      name = "related", title = "Related", walk = "Related to",
      note = "Alike, but not one like the other.",
      rule = "mmr", lambda = 0.7, length = 12,
    },
    {
      name = "different", title = "Different", walk = "Different from",
      note = "Each unlike all those before it.",
      rule = "centroid", length = 12,
    },
    {
      name = "nearest", title = "Nearest", walk = "Nearest to",
      note = "The most similar ones.",
      neighbors = true, length = 12,
    },
    {
      name = "journey", title = "Journey", walk = "Journey from",
      note = "In small steps, each to the one most like the last.",
      rule = "chain", length = 24, brief = true,
    },
  },

  -- A list on the start page that begins with the first item: these few stand for the whole.
  begin = {
    name = "begin", title = "Begin here",
    note = "So different from each other that everything else is near to one of them.",
    rule = "farthest", length = 12,
  },
}
