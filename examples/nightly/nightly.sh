#!/bin/sh
# One night's batch of development sites: judged, kept under the moment it began, logged, and told in one line.
#
#   STUDY=/srv/planning/study.yaml SITES=/srv/planning/sites.csv RESULTS=/srv/planning/nightly ./nightly.sh
#
# Settings are variables of the environment, so that a crontab or a container can give them:
#   STUDY, SITES   the study file and the list of sites
#   RESULTS        folder of this job alone: results, logs, history and what is kept between nights
#   KEEP           how many nights' results and logs stay (14)
#   RETRY_S        seconds to wait before the one new attempt after a failure of the machine (600)
#   OPTIONS        further options, as in: --threads 4 --engine dask --scheduler tcp://10.0.0.5:8786
#   PROGRAM        the command itself (community-routes)
#
# Exit: that of community-routes (0 done, 1 input faults, 2 wrong usage, 3 done in part, 4 a standard is missed,
# 5 the machine failed, 130 interrupted), or 75 when last night's run is still at work.
set -eu
umask 027

: "${STUDY:?name the study file}" "${SITES:?name the list of sites}" "${RESULTS:?name a folder for the results}"
KEEP=${KEEP:-14}
RETRY_S=${RETRY_S:-600}
PROGRAM=${PROGRAM:-community-routes}

mkdir -p "$RESULTS/logs"
results=$(cd "$RESULTS" && pwd)
night=$(date -u +%Y-%m-%dT%H%M%SZ)
log=$results/logs/$night.jsonl
said=$results/.said

# One at a time: the system holds this lock until the script ends, however it ends. Where there is no flock (macOS), the
# program's own lock on the result does the same with exit 2.
if command -v flock > /dev/null; then
    exec 9> "$results/.lock"
    if ! flock -n 9; then
        echo "$night busy (75): another run is still at work on $results"
        exit 75
    fi
fi
trap 'rm -rf "$said" "$results/.part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The result is written into the same folder every night: sites that have not changed are not judged again, and a night
# that was killed is gone on with.
judge() {
    # shellcheck disable=SC2086 # OPTIONS are several words
    "$PROGRAM" sites "$STUDY" "$SITES" --out "$results/current" --cache "$results/cache" \
        --require-pass --log-json ${OPTIONS:-} > "$said" 2>> "$log"
}

code=0
judge || code=$?
if [ "$code" -eq 5 ]; then
    sleep "$RETRY_S"
    code=0
    judge || code=$?
fi

# 0, 3 and 4 have a result; it appears under the night's name whole or not at all.
case $code in
0) outcome="done" kept=yes ;;
1) outcome="input faults" kept=no ;;
2) outcome="wrong usage" kept=no ;;
3) outcome="done in part" kept=yes ;;
4) outcome="a standard is missed" kept=yes ;;
5) outcome="the machine failed" kept=no ;;
130) outcome="interrupted" kept=no ;;
*) outcome="ended with $code" kept=no ;;
esac
if [ "$kept" = yes ]; then
    rm -rf "$results/.part"
    cp -R "$results/current" "$results/.part"
    mv "$results/.part" "$results/$night"
    details=$(head -n 1 "$said")
else
    # The last fault of the log, without a program that reads JSON.
    details=$(sed -n 's/.*"event": "fault".*"message": "\(.*\)"}$/\1/p' "$log" | tail -n 1)
fi

# The newest nights stay; names sort by time.
oldest() { ls -1 "$1" | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z(\.jsonl)?$' | sort -r | tail -n "+$((KEEP + 1))"; }
for name in $(oldest "$results"); do rm -rf "${results:?}/$name"; done
for name in $(oldest "$results/logs"); do rm -f "$results/logs/$name"; done

line="$night $outcome ($code): ${details:-see $log}"
echo "$line" >> "$results/history.txt"
echo "$line"
exit "$code"
