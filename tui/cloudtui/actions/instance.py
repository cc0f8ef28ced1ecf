"""Actions on machines."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, Action, Argument

_H = "cloudtui.handlers.instance:"
_INSTANCE = Argument("instance", "name or id of the instance", "instance", required=True, metavar="NAME")

ACTIONS = (
    Action(
        "instance.add", "instance", "add", "Add a machine",
        "add an existing machine, reached over SSH",
        (
            Argument("name", "what you will call it", required=True),
            Argument("ssh", "where it is and as whom", required=True, option="--ssh",
                     metavar="[USER@]HOST[:PORT]"),
            Argument("key", "private key file; default: your agent, your SSH config, your usual keys", "path",
                     option="--key", metavar="FILE"),
            Argument("root", "folder on the host that may be used; default: ~/.cloudtui", option="--root",
                     metavar="DIR"),
            Argument("price", "what it costs you an hour, US dollars", option="--price", metavar="USD"),
            Argument("via", "ssh: by your own ssh, for second factors, FIDO keys, Kerberos, ProxyCommand",
                     "choice", choices=("cloudtui", "ssh"), default="cloudtui", option="--via"),
            Argument("accept_host_key", "the fingerprint of the host's key, as its owner told you",
                     option="--accept-host-key", metavar="SHA256:..."),
        ),
        handler=_H + "add", keys=("+",), starts_work=True, use=1,
    ),
    Action(
        "instance.import", "instance", "import", "Import from SSH config",
        "add the hosts of your SSH config; nothing is connected",
        (Argument("source", "the SSH config to read; default: ~/.ssh/config", "path", option="--from",
                  metavar="FILE"),),
        handler=_H + "import_hosts",
    ),
    Action(
        "instance.list", "instance", "list", "List", "all machines, this one included",
        handler=_H + "list_all", faces=frozenset({"cli"}),
    ),
    Action(
        "instance.show", "instance", "show", "Show", "one machine and what is known of it", (_INSTANCE,),
        handler=_H + "show", faces=frozenset({"cli"}),
    ),
    Action(
        "instance.probe", "instance", "probe", "Probe",
        "connect and look: OS, python, torch, CUDA, GPUs, disk, free memory", (_INSTANCE,),
        handler=_H + "probe", keys=("p",), when="instance.known", starts_work=True,
    ),
    Action(
        "instance.connect", "instance", "connect", "Log in",
        "log in where a machine asks for you: your own ssh asks, in this terminal, and keeps the connection",
        (
            _INSTANCE,
            Argument("via", "reach it so from now on", "choice", choices=("cloudtui", "ssh"), option="--via"),
        ),
        handler="cloudtui.handlers.login:connect", when="instance.loginable", starts_work=True,
    ),
    Action(
        "instance.clean", "instance", "clean", "Clean up",
        "remove from a machine what is not needed there any more; never results that are not here",
        (
            _INSTANCE,
            Argument("dry_run", "only list what may go, and what stays and why", "flag", default=False,
                     option="--dry-run"),
            Argument("yes", "remove it without asking", "flag", default=False, option="--yes"),
        ),
        handler="cloudtui.handlers.cleaning:clean", faces=ONLY_CLI, starts_work=True,
    ),
    Action(
        "instance.prepare", "instance", "prepare", "Prepare",
        "have a python there that can do every job: the host's own torch, or an environment of ours",
        (
            _INSTANCE,
            Argument("index", "one more package index with torch for this kind of machine", option="--index",
                     metavar="URL"),
        ),
        handler=_H + "prepare", when="instance.known", starts_work=True,
    ),
    Action(
        "instance.price", "instance", "price", "Say its price",
        "what a machine costs you an hour; it is paid for from now on",
        (_INSTANCE, Argument("price", "US dollars an hour, as 1.10; none: it costs nothing", required=True,
                             metavar="USD")),
        handler=_H + "price", keys=("$",), when="instance.known", use=3,
    ),
    Action(
        "instance.forget", "instance", "forget", "Forget",
        "take a machine off the list; its runs stay, and nothing is done on the machine", (_INSTANCE,),
        handler=_H + "forget", keys=("d",), when="instance.forgettable", confirm="instance.forget", use=3,
    ),
)  # fmt: skip
