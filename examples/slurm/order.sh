#!/bin/bash
# One task of an array: its shard of the sequences, into a file of its own.
#
#     sbatch --array=0-15 order.sh CORPUS FOLDER [OPTIONS OF vkd order]
#
# A task that is preempted, or whose node fails, is run again by Slurm; one whose process was killed
# asks for that itself. Either way it goes on where its file ends.
#SBATCH --job-name=vkd-order
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
# Where there are GPUs, one for each task; without, vkd takes the processor. The bits are the same.
##SBATCH --gres=gpu:1
set -uo pipefail
corpus=$1 folder=$2
part=$folder/part-$SLURM_ARRAY_TASK_ID.safetensors

# The signal comes to this script, which hands it on: vkd then leaves what it has finished.
vkd order "$corpus" --shard auto -o "$part" "${@:3}" &
trap 'kill -TERM $!' TERM
wait $!
status=$?
# The first wait ends with the signal, the second with the process.
if [ $status -gt 128 ] && kill -0 $! 2>/dev/null; then
    wait $!
    status=$?
fi

# Killed, or told to end: 130 is what vkd says of a signal. What is wrong with the corpus or the
# options would be wrong again.
if [ $status -ge 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ]; then
    echo "vkd ended with $status: asking for another run" >&2
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
fi
exit $status
