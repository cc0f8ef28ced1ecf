"""What a look at 200 machines in four regions of AWS costs, from answers replayed on loopback.

python -m bench clouds
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, cast

from bench._report import cpu, figure, ratio, skipped

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
MACHINES = 50
"""In each region."""
ROUNDS = 5
SERVER = "from bench.clouds import serve; serve()"
FIRST = "from bench.clouds import first; first()"
TAGS = "".join(
    f"<item><key>cloudtui-{key}</key><value>{value}</value></item>"
    for key, value in {
        "owner": "c0ffee0000000001",
        "launch": "c0000000000000000-1",
        "name": "box-{n}",
        "deadline": "2030-01-01T00:00:00Z",
        "user": "ubuntu",
    }.items()
)
MACHINE = f"""<item><reservationId>r-{{n:017x}}</reservationId><ownerId>123456789012</ownerId><groupSet/>
<instancesSet><item><instanceId>i-{{n:017x}}</instanceId><imageId>ami-0c10d7000000000a1</imageId>
<instanceState><code>16</code><name>running</name></instanceState><instanceType>g4dn.xlarge</instanceType>
<privateDnsName>ip-10-0-0-1.ec2.internal</privateDnsName><dnsName>ec2-192-0-2-1.amazonaws.com</dnsName>
<keyName>cloudtui-0123456789abcdef</keyName><amiLaunchIndex>0</amiLaunchIndex><productCodes/>
<launchTime>2026-11-01T10:00:00.000Z</launchTime><ipAddress>192.0.2.1</ipAddress>
<placement><availabilityZone>us-east-1a</availabilityZone><groupName/><tenancy>default</tenancy></placement>
<monitoring><state>disabled</state></monitoring><subnetId>subnet-0</subnetId><vpcId>vpc-0</vpcId>
<privateIpAddress>10.0.0.1</privateIpAddress><sourceDestCheck>true</sourceDestCheck>
<groupSet><item><groupId>sg-0</groupId><groupName>cloudtui-c0ffee0000000001</groupName></item></groupSet>
<stateReason><code/><message/></stateReason><architecture>x86_64</architecture>
<rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/sda1</rootDeviceName>
<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName><ebs><volumeId>vol-{{n:017x}}</volumeId>
<status>attached</status><attachTime>2026-11-01T10:00:01.000Z</attachTime>
<deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>
<virtualizationType>hvm</virtualizationType><clientToken>c0000000000000000-1</clientToken>
<tagSet>{TAGS}</tagSet><hypervisor>xen</hypervisor>
<networkInterfaceSet><item><networkInterfaceId>eni-{{n:017x}}</networkInterfaceId><status>in-use</status>
<macAddress>02:00:00:00:00:01</macAddress><privateIpAddress>10.0.0.1</privateIpAddress>
<association><publicIp>192.0.2.1</publicIp><ipOwnerId>amazon</ipOwnerId></association></item>
</networkInterfaceSet><metadataOptions><state>applied</state><httpTokens>required</httpTokens>
</metadataOptions></item></instancesSet></item>"""


def main() -> bool:
    """Three figures."""
    if importlib.util.find_spec("boto3") is None:
        skipped("clouds", "boto3 is not installed")
        return True
    with _replay() as endpoint:
        environment = {**os.environ, **_environment(endpoint)}
        told = [_measured(FIRST, environment) for _ in range(ROUNDS)]
        os.environ.update(_environment(endpoint))
        return _figures(told, endpoint)


def _figures(told: list[dict[str, float]], endpoint: str) -> bool:
    wall = statistics.median(one["wall"] for one in told)
    used = statistics.median(one["cpu"] for one in told)
    detail = f"{len(REGIONS)} regions of {MACHINES}; a process that has just begun, boto3's import included"
    met = [
        figure("clouds: first look at 200, seconds", wall, 2.0, detail),
        figure("clouds: first look at 200, CPU seconds", used, 0.5, detail),
    ]
    ours, bare = _ours(), _bare(endpoint)
    for warm in (ours, bare):
        warm()
    both, own, floor = ratio(lambda: cpu(ours), lambda: cpu(bare), ROUNDS)
    met.append(figure("clouds: a look at 200, CPU seconds", own, 0.5, f"bare boto3 {floor:.3f} s"))
    met.append(
        figure("clouds: a look / bare boto3 (CPU)", both, 1.25, "the same answers, parsed by boto3 alone")
    )
    return all(met)


def first() -> None:
    """In a process of its own: from nothing to all machines known."""
    begun = time.perf_counter()
    found = _ours()()
    if found != len(REGIONS) * MACHINES:
        sys.exit(f"{found} machines")
    print(json.dumps({"wall": time.perf_counter() - begun, "cpu": time.process_time()}))


def _ours() -> Callable[[], int]:
    from cloudtui_providers.aws import Aws

    provider = Aws()

    def look() -> int:
        with ThreadPoolExecutor(len(REGIONS)) as threads:
            listings = threads.map(lambda region: provider.machines(region, ""), REGIONS)
            return sum(len(listing.machines) for listing in listings)

    return look


def _bare(endpoint: str) -> Callable[[], int]:
    import boto3

    clients = [boto3.client("ec2", region_name=region, endpoint_url=endpoint) for region in REGIONS]

    def look() -> int:
        with ThreadPoolExecutor(len(REGIONS)) as threads:
            answers = threads.map(lambda client: client.describe_instances(), clients)
            return sum(len(answer["Reservations"]) for answer in answers)

    return look


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "replayed",
        "AWS_SECRET_ACCESS_KEY": "replayed",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _measured(program: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


@contextmanager
def _replay() -> Iterator[str]:
    """The same answer to every question, by a process of its own."""
    command, pipe = [sys.executable, "-c", SERVER], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        told, ends = cast(IO[str], process.stdout), cast(IO[str], process.stdin)
        yield f"http://127.0.0.1:{int(told.readline())}"
        ends.close()


def serve() -> None:
    """Until standard input ends."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    machines = "".join(MACHINE.format(n=number) for number in range(MACHINES))
    body = (
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>r</requestId><reservationSet>{machines}</reservationSet></DescribeInstancesResponse>"
    ).encode()

    class Replay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)
