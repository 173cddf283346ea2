#!/bin/bash
# Makes one file of all parts, as one machine would have written it.
#
#     sbatch --dependency=afterok:ARRAY merge.sh CORPUS FOLDER RESULTS
#
# Four rows are computed again here, in case a machine of the array computes wrongly.
#SBATCH --job-name=vkd-merge
#SBATCH --requeue
set -euo pipefail
corpus=$1 folder=$2 results=$3
vkd merge "$folder"/part-*.safetensors -o "$results" --check 4 --corpus "$corpus"
