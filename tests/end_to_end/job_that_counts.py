"""A job whose every record is known: a value for step 0 .. N-1, and one line in a shared file per process."""

import os
import sys
import time

import cloudtui_log

count, rate, starts = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
descriptor = os.open(starts, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(descriptor, b"%d %s\n" % (os.getpid(), os.environ["CLOUDTUI_ATTEMPT"].encode()))
os.close(descriptor)

begin = time.monotonic()
for step in range(count):
    cloudtui_log.log({"value": (step * 7919) % 1000003}, step=step)
    if step % 50 == 0:
        ahead = step / rate - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
print("counted to", count)
