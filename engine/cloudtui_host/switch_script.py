"""The dead-man's switch as a machine carries it: a shell script, for it must work before and without us.

It needs no network, no credentials and nothing of ours but its folder. Something calls `tick` every few
seconds: a timer of systemd on machines that were launched with it, else `loop`.

The folder:

- `left`: `SECONDS BOOT UPTIME WALL`: so many seconds were left at this second of this boot; or `never`. Only
  `tick` writes it.
- `wish`: the same, of whoever extends or disarms; `taken` is a wish that a tick has taken. So an extension
  that comes while a tick writes is not lost.
- `limit`: the newest wish, or what was set at the launch (`SECONDS` alone: from the boot on). It counts where
  `left` cannot be read: a torn file must not disarm anything.
- `idle_s`: so many seconds of quiet end the machine, too; `hook look` ends with 10 when they are over.
- `hook`: what is called with `warn SECONDS`, `stop SECONDS` and `look SECONDS`; see `ending.py`.
- `power-off`: ends this machine; is given how many times it was called before.

The clock is that of the boot (/proc/uptime, which goes on while the machine sleeps), so the date may be
wrong by days. After a restart the time in between is counted by the date, and at most two minutes of it.
"""

from __future__ import annotations

TICK_S = 15
WARN_S = 600
"""So long before its end everybody on the machine is told."""
STOP_S = 180
"""So long before its end its jobs are asked to save themselves and stop."""
AWAY_S = 600
"""Off for longer, it was stopped and started again and not restarted."""
AGAIN_S = 900
"""So long a machine lives that was ended and is started again with no time left: enough to be given more. One
that looks as if it was only restarted has that once."""
LOOK_S = 60

SCRIPT = """\
#!/bin/sh
# The dead-man's switch of cloudtui. `sh switch FOLDER tick` ends this machine once its time is used up.
# What has been given is shown by `sh switch FOLDER show`; more is given by `sh switch FOLDER set SECONDS`,
# and `sh switch FOLDER never` disarms it.
set -u
umask 022
S=$1
UPTIME=${CLOUDTUI_UPTIME:-/proc/uptime}
BOOT=${CLOUDTUI_BOOT_ID:-/proc/sys/kernel/random/boot_id}
INIT=${CLOUDTUI_INIT:-/proc/1/stat}

whole() { case ${1:-} in '' | *[!0-9]*) return 1 ;; esac; }

put() { printf '%s\\n' "$2" > "$S/.$1.$$" && mv -f "$S/.$1.$$" "$S/$1"; }

now() {
  read -r up _ < "$UPTIME"
  read -r boot < "$BOOT"
  read -r init 2> /dev/null < "$INIT" || init=''
  # A container's uptime is its host's: its own began with its first process.
  born=$(began $init)
  up=$((${up%%.*} - born))
  boot=$boot-$born
  wall=$(date +%s)
}

# The 22nd field of a line of /proc/PID/stat, in seconds; the name in the second holds spaces or not.
began() {
  while [ $# -gt 0 ]; do case $1 in *\\)) break ;; esac; shift; done
  echo $((${21:-0} / 100))
}

# Sets `left` to what the file says is left now; fails where it says nothing.
count() {
  left='' was='' since='' at=''
  read -r left was since at 2> /dev/null < "$S/$1" || [ -n "$left" ] || return 1
  [ "$left" = never ] && return 0
  whole "${left#-}" || return 1
  if [ -z "$was" ] && [ "$1" = limit ]; then
    left=$((left - up))
    return 0
  fi
  whole "$since" && whole "$at" || return 1
  if [ "$was" = "$boot" ]; then
    left=$((left - (up - since)))
    return 0
  fi
  off=$((wall - up - at))
  [ "$off" -ge 0 ] || off=0
  most=$off
  [ "$most" -le 120 ] || most=120
  left=$((left - up - most))
  [ "$left" -lt $((@AGAIN@ - up)) ] || return 0
  if [ "$off" -gt @AWAY@ ] || [ -e "$S/ended" ]; then
    left=$((@AGAIN@ - up))
  elif [ "$left" -le 0 ] && [ ! -e "$S/again" ]; then
    left=$((@AGAIN@ - up))
    again=1
  fi
}

newest() { count wish || count taken || count left || count limit; }

say() {
  echo "cloudtui: $1"
  wall "cloudtui: $1" 2> /dev/null
}

# In the background: no disk and no driver that hangs may keep this from the next tick.
hook() { [ -e "$S/hook" ] && timeout 50 sh "$S/hook" "$@" < /dev/null > /dev/null 2>&1 & }

# Whether the file was written less than so many seconds ago, in this boot.
recent() {
  at=''
  read -r at 2> /dev/null < "$S/$1"
  whole "$at" && [ "$at" -le "$up" ] && [ $((up - at)) -lt "$2" ]
}

end() {
  tries=0
  read -r _ tries 2> /dev/null < "$S/ended"
  whole "$tries" || tries=0
  put ended "$boot $((tries + 1))"
  [ "$tries" -gt 0 ] || say "this machine ends now: $1."
  sh "$S/power-off" "$tries"
}

due() {
  if [ "$left" -gt @WARN@ ]; then
    rm -f "$S/warned"
  elif [ ! -e "$S/warned" ]; then
    put warned 1
    say "this machine ends in $left seconds, whatever runs on it. Save your work; cloudtui can give it more."
    hook warn "$left"
  fi
  # Again and again: a job may begin as late as that.
  if [ "$left" -le @STOP@ ] && ! recent asked 10; then
    put asked "$up"
    hook stop "$left"
  fi
  [ "$left" -gt 0 ] || end 'its time is used up'
}

idle() {
  read -r idle_s 2> /dev/null < "$S/idle_s" || return 0
  whole "$idle_s" && [ "$idle_s" -gt 0 ] || return 0
  read -r quiet 2> /dev/null < "$S/quiet" || quiet=''
  rm -f "$S/quiet"
  if [ "$quiet" = "$boot" ]; then
    end "nothing was done on it for $((idle_s / 60)) minutes"
    return
  fi
  ! recent looked @LOOK@ || return
  put looked "$up"
  [ -e "$S/hook" ] || return
  (
    timeout 50 sh "$S/hook" look "$idle_s" < /dev/null > /dev/null 2>&1
    [ $? -ne 10 ] || put quiet "$boot"
  ) &
}

tick() {
  now
  again=''
  [ -e "$S/taken" ] || mv "$S/wish" "$S/taken" 2> /dev/null
  count taken || count left || count limit || return 0
  if [ "$left" = never ]; then line=never; else line="$left $boot $up $wall"; fi
  if put left "$line"; then
    [ -z "$again" ] || put again 1
    [ ! -e "$S/taken" ] || { mv -f "$S/taken" "$S/limit" && rm -f "$S/again"; }
    read -r ended _ 2> /dev/null < "$S/ended" && [ "$ended" != "$boot" ] && rm -f "$S/ended"
  fi
  idle
  [ "$left" = never ] || due
}

wish() {
  put wish "$1" || exit 1
  sync "$S/wish" 2> /dev/null
  return 0
}

case ${2:-} in
  tick) tick; exit 0 ;;
  loop) put loop $$; while [ -d "$S" ]; do tick; sleep "${CLOUDTUI_TICK:-@TICK@}"; done ;;
  set) whole "${3:-}" || exit 2; now; rm -f "$S/quiet"; wish "$3 $boot $up $wall" ;;
  never) wish never ;;
  idle) whole "${3:-}" || exit 2; put idle_s "$3"; rm -f "$S/quiet" ;;
  hook) cat > "$S/.hook.$$" && mv -f "$S/.hook.$$" "$S/hook" ;;
  show) now; newest || exit 3; echo "$left" ;;
  *) exit 2 ;;
esac
"""
for _name, _value in (
    ("AWAY", AWAY_S),
    ("AGAIN", AGAIN_S),
    ("WARN", WARN_S),
    ("STOP", STOP_S),
    ("LOOK", LOOK_S),
    ("TICK", TICK_S),
):
    SCRIPT = SCRIPT.replace("@%s@" % _name, str(_value))

POWER_OFF = """\
#!/bin/sh
# Ends this machine. Asked a third time, something keeps it from ending in order: then at once.
if [ "${1:-0}" -ge 3 ] && [ -w /proc/sysrq-trigger ]; then
  sync &
  sleep 5
  echo o > /proc/sysrq-trigger
fi
systemctl poweroff || shutdown -P now || poweroff -f
"""
