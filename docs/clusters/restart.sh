#!/usr/bin/env bash
# Starts a program again where it ends with an error, so many times and no more: the program goes on from its own checkpoint.
#
#   restart.sh [--max-restarts 3] [--pause 10] mpirun -np 4 node train.js
set -u
max_restarts=3
pause=10
while [[ ${1-} == --* ]]; do
  case $1 in
    --max-restarts) max_restarts=$2 ;;
    --pause) pause=$2 ;;
    *) echo "restart.sh: there is no option $1: --max-restarts N, --pause SECONDS." >&2; exit 2 ;;
  esac
  shift 2
done
if [[ $# -eq 0 ]]; then echo "restart.sh: which program? restart.sh mpirun -np 4 node train.js" >&2; exit 2; fi

child=
# a signal to end is passed on, and is no reason to start again
trap 'trap "" TERM INT; if [[ -n $child ]]; then kill -TERM "$child"; wait "$child"; fi; exit 143' TERM INT
for ((restart = 0; ; restart++)); do
  "$@" &
  child=$!
  wait "$child"
  code=$?
  child=
  if [[ $code -eq 0 ]]; then exit 0; fi
  if [[ $restart -ge $max_restarts ]]; then
    echo "restart.sh: the program ended with code $code, and was started $((restart + 1)) times: it ends here." >&2
    exit "$code"
  fi
  echo "restart.sh: restart $((restart + 1)) of $max_restarts: the program ended with code $code" >&2
  sleep "$pause"
done
