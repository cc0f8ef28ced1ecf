"""Moto as a process of its own: `python -m tests.support.clouds.moto_process FOLDER [--hosts]`.

It prints its port, ends when its standard input does, and takes its servers with it. EC2 here keeps an order
single by its token, which moto itself does not.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.clouds import moto_gaps
from tests.support.clouds.moto_faults import App, Faulty
from tests.support.clouds.moto_hosts import Hosts

NOBODY = "127.255.255.254"
"""The address of a machine without a host behind it: an engine may try it."""
COSTS = {"pending", "running", "stopping", "stopped"}


class Cloud:
    """Moto's EC2 with what it lacks, and what a test may ask of it."""

    def __init__(self, folder: Path, hosts: Hosts | None) -> None:
        from moto.ec2.models.instances import Instance, InstanceBackend
        from moto.ec2.models.tags import TagBackend

        self._hosts = hosts
        self._lock = threading.RLock()
        self._tokens: dict[tuple[str, str], tuple[str, Any]] = {}
        self._hidden: set[str] = set()
        self.hide_next = threading.Event()
        self._notices: dict[str, Any] = {}
        self._most: int | None = None
        self._kept: Any = None
        self.faulty: Faulty
        ec2: Any = InstanceBackend
        ec2.run_instances = self._run_once(ec2.run_instances)
        ec2.all_reservations = self._seen(ec2.all_reservations)
        tags: Any = TagBackend
        tags.create_tags = _of_what_is_there(tags.create_tags)
        if hosts:
            for name, before in (("stop", hosts.stop), ("terminate", hosts.stop), ("start", hosts.start)):
                setattr(Instance, name, _after(getattr(Instance, name), before))

    def _run_once(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """EC2's promise of the client token, and a host behind what is made."""

        def run_instances(backend: Any, *given: Any, **kwargs: Any) -> Any:
            from moto.ec2.exceptions import EC2ClientError

            image, count, user_data, groups = given
            told = user_data.decode() if user_data else ""
            asked = repr((image, count, told, groups, sorted((key, str(one)) for key, one in kwargs.items())))
            token = (backend.region_name, kwargs["client_token"])
            with self._lock:
                if token in self._tokens:
                    before, made = self._tokens[token]
                    if before != asked:
                        raise EC2ClientError("IdempotentParameterMismatch", "The token is another request's.")
                    return made
                if self._most is not None and self._living() + count > self._most:
                    raise EC2ClientError("InsufficientInstanceCapacity", "There is no more of it here.")
                made = run(backend, *given, **kwargs)
                self._tokens[token] = (asked, made)
                if self.hide_next.is_set():
                    self.hide_next.clear()
                    self._hidden |= {instance.id for instance in made.instances}
                self._boot(backend, made, told, kwargs)
                return made

        return run_instances

    def _boot(self, backend: Any, made: Any, user_data: str, kwargs: dict[str, Any]) -> None:
        if self._hosts is None:
            for instance in made.instances:
                instance.nics[0].public_ip = NOBODY
            return
        pair = backend.key_pairs.get(kwargs.get("key_name") or "")
        public = pair.material_public.decode().strip() if pair else ""
        for instance in made.instances:
            self._hosts.boot(instance, user_data, public)

    def _seen(self, every: Callable[..., Any]) -> Callable[..., Any]:
        def all_reservations(backend: Any, filters: Any = None) -> Any:
            found = every(backend, filters)
            return [one for one in found if not {each.id for each in one.instances} & self._hidden]

        return all_reservations

    # -- what a test asks

    def control(self, path: str, asked: dict[str, Any]) -> Any:
        """`/fake/<method>` with its arguments as JSON; `/imds/<instance>/...` as a machine sees it."""
        _, kind, name, *rest = path.split("/", 3)
        if kind == "imds" and rest == ["power-off"]:
            return self.do_power_off(name)
        if kind == "imds":
            return self._notices.get(name) if rest == ["latest/meta-data/spot/instance-action"] else None
        with self._lock:
            return getattr(self, f"do_{name}")(**asked)

    def do_fail(self, fault: str, on: str, times: int) -> Any:
        self.faulty.fail(fault, on, times)
        return {}

    def do_heal(self) -> Any:
        self.faulty.heal()
        return {}

    def do_settle(self) -> Any:
        self._hidden.clear()
        return {}

    def do_reset(self, key: str) -> Any:
        if self._hosts:
            self._hosts.end_all()
        for backend in self._backends():
            backend.reservations.clear()
        self._tokens.clear()
        self._hidden.clear()
        self._notices.clear()
        self.hide_next.clear()
        self._most = None
        moto_gaps.quota["value"] = 64.0
        self.faulty.heal()
        self.faulty.calls.clear()
        self.faulty.key = key
        return {}

    def do_only(self, most: int) -> Any:
        """So many machines are to be had."""
        self._most = most
        return {}

    def do_keep(self) -> Any:
        """What EC2 is now is what `restore` brings back. Without hosts."""
        self._kept = self._copied(({one.region_name: vars(one) for one in self._backends()}, self._tokens))
        return {}

    def do_restore(self) -> Any:
        self.do_reset(self.faulty.key)
        regions, self._tokens = self._copied(self._kept)
        for backend in self._backends():
            if backend.region_name in regions:  # others were not asked for then, and are empty
                vars(backend).update(regions[backend.region_name])
        return {}

    def _copied(self, state: Any) -> Any:
        """What instances, volumes and groups call their backend stays it."""
        return copy.deepcopy(state, {id(one): one for one in self._backends()})

    def do_quota(self, value: float) -> Any:
        moto_gaps.quota["value"] = value
        return {}

    def do_calls(self) -> Any:
        return self.faulty.calls

    def do_machines(self) -> Any:
        return [
            {
                "id": one.id,
                "region": one.region_name,
                "state": one._state.name,
                "costs": one._state.name in COSTS,
                "address": one.nics[0].public_ip if one.nics else None,
                "shutdown": one.instance_initiated_shutdown_behavior,
                "disks": [dict(_tags(disk)) for disk in self._disks(one)],
            }
            for one in self._instances()
        ]

    def do_take_back(self, machine: str) -> Any:
        from moto.ec2.models.instances import StateReason

        instance = self._instance(machine)
        instance.terminate()
        code = "Server.SpotInstanceTermination"
        instance.state_reason = StateReason(f"{code}: Instance terminated due to capacity.", code)
        return {}

    def do_power_off(self, machine: str) -> Any:
        """As the machine does by itself: what then becomes of it was said at its launch."""
        from moto.ec2.models.instances import StateReason

        instance = self._instance(machine)
        ends = instance.instance_initiated_shutdown_behavior == "terminate"
        with self._lock:
            if ends:
                instance.terminate()
            else:
                instance.stop()
        code = "Client.InstanceInitiatedShutdown"
        instance.state_reason = StateReason(f"{code}: Instance initiated shutdown", code)
        return {}

    def do_notice(self, machine: str, action: str, time: str) -> Any:
        self._notices[machine] = {"action": action, "time": time}
        return {}

    def do_forget(self, machine: str) -> Any:
        backend = self._instance(machine).ec2_backend
        for name, reservation in list(backend.reservations.items()):
            if machine in {one.id for one in reservation.instances}:
                del backend.reservations[name]
        return {}

    def _backends(self) -> list[Any]:
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.ec2.models import ec2_backends

        return list(ec2_backends[DEFAULT_ACCOUNT_ID].values())

    def _instances(self) -> list[Any]:
        every = [each for backend in self._backends() for each in backend.reservations.values()]
        return [one for each in every for one in each.instances]

    def _living(self) -> int:
        return sum(one._state.name in COSTS for one in self._instances())

    def _instance(self, machine: str) -> Any:
        return next(one for one in self._instances() if one.id == machine)

    def _disks(self, instance: Any) -> list[Any]:
        every = instance.ec2_backend.volumes.values()
        return [disk for disk in every if disk.attachment and disk.attachment.instance.id == instance.id]


def _tags(resource: Any) -> list[tuple[str, str]]:
    return [(tag["key"], tag["value"]) for tag in resource.get_tags()]


def _of_what_is_there(create_tags: Callable[..., Any]) -> Callable[..., Any]:
    """Moto gives tags to machines that never were."""

    def checked(backend: Any, resources: list[str], tags: Any) -> Any:
        backend.get_multi_instances_by_id([one for one in resources if one.startswith("i-")])
        return create_tags(backend, resources, tags)

    return checked


def _after(method: Callable[..., Any], then: Callable[[Any], None]) -> Callable[..., Any]:
    def both(instance: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(instance, *args, **kwargs)
        then(instance)
        return result

    return both


def main(folder: Path, *, hosts: bool) -> None:
    """Serve until standard input ends."""
    folder.mkdir(parents=True, exist_ok=True)
    images = folder / "images.json"
    images.write_text(json.dumps(moto_gaps.images()))
    os.environ["MOTO_AMIS_PATH"] = str(images)
    os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
    os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    machines = Hosts(folder, f"http://127.0.0.1:{server.server_port}/imds/{{}}") if hosts else None
    cloud = Cloud(folder, machines)
    moto: App = DomainDispatcherApplication(create_backend_app)
    cloud.faulty = Faulty(moto, cloud.control, cloud.hide_next)
    server.app = cloud.faulty
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    if machines:
        machines.end_all()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), hosts="--hosts" in sys.argv)
