#!/bin/bash
# Orders a corpus on a cluster: an array of shards, and a merge when all are done.
#
#     examples/slurm/submit.sh CORPUS RESULTS SHARDS [OPTIONS OF vkd order]
#
# CORPUS and RESULTS lie where all nodes see them. Prints the numbers of both jobs.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 CORPUS RESULTS SHARDS [OPTIONS OF vkd order]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
corpus=$(realpath "$1") results=$(realpath "$2") shards=$3
folder=$results.parts
mkdir -p "$folder"
array=$(sbatch --parsable --array=0-$((shards - 1)) --output="$folder/%a.log" \
    "$here/order.sh" "$corpus" "$folder" "${@:4}")
merge=$(sbatch --parsable --dependency="afterok:$array" --output="$folder/merge.log" \
    "$here/merge.sh" "$corpus" "$folder" "$results")
echo "array $array, merge $merge; logs in $folder"
