"""Actions on machines that are rented, and on the clouds that rent them."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, Action, Argument

_H = "cloudtui.handlers.fleet:"
_P = "cloudtui.handlers.provider:"
_INSTANCE = Argument("instance", "name or id of the instance", "instance", required=True, metavar="NAME")
_YES = Argument("yes", "do not ask", "flag", default=False, option="--yes")
_FOLLOW = Argument("follow", "wait until it is so", "flag", default=False, option="--follow", short="-f")
_PROVIDER = Argument("provider", "the cloud; see `cloudtui provider list`", required=True, metavar="PROVIDER")
_GPU = Argument("gpu", "a part of the GPU's name: a100", option="--gpu")
_REGION = Argument("region", "only there; may be given several times", many=True, option="--region")
_TYPE = Argument("type", "the cloud's name of a kind of machine: g5.xlarge", option="--type")
_MAX = Argument("max_price", "US dollars an hour, at most", "float", option="--max-price", metavar="USD")
_SPOT = Argument("spot", "one that the cloud may take back: cheaper", "flag", default=False, option="--spot")

_RENTING = (
    Action(
        "instance.offers", "instance", "offers", "Offers", "machines that can be rented now, cheapest first",
        (
            Argument("provider", "only of this cloud; default: all", option="--provider"),
            _GPU, _TYPE, _REGION, _MAX, _SPOT,
        ),
        handler=_P + "offers", faces=ONLY_CLI, starts_work=True,
    ),
    Action(
        "instance.launch", "instance", "launch", "Launch a machine",
        "rent a machine from a cloud; it ends at its deadline, whoever is there then",
        (
            Argument("name", "what you will call it; default: made up; of several the beginning"),
            Argument("provider", "the cloud; see `cloudtui provider list`", required=True,
                     option="--provider"),
            _TYPE,
            Argument("gpu", "a part of the GPU's name, where no type is given", option="--gpu"),
            _REGION,
            Argument("zone", "only in this zone; may be given several times", many=True, option="--zone"),
            _SPOT, _MAX,
            Argument("on_demand_cap", "where no spot machine is left: others up to this price; default: none",
                     "float", option="--on-demand-cap", metavar="USD"),
            Argument("deadline", "when it ends, even at work: 4h, 18:00, none", default="4h",
                     option="--deadline", metavar="TIME"),
            Argument("idle", "it ends after doing nothing for so long: 2h, 90m; 0 for never", default="1h",
                     option="--idle", metavar="TIME"),
            Argument("count", "so many, all or none", "int", default=1, option="--count", metavar="N"),
            Argument("disk", "gigabytes", "int", default=100, option="--disk", metavar="GB"),
            Argument("image", "the cloud's name of an image; default: one with drivers", option="--image"),
            Argument("ssh_from", "network that may reach its SSH port; may be given several times", many=True,
                     option="--ssh-from", metavar="CIDR"),
            _FOLLOW,
        ),
        handler=_H + "launch", keys=("l",), starts_work=True, use=1,
    ),
    Action(
        "instance.start", "instance", "start", "Start", "start a stopped machine", (_INSTANCE, _FOLLOW),
        handler=_H + "start", keys=("u",), when="instance.startable", confirm="instance.start",
        starts_work=True, use=1,
    ),
    Action(
        "instance.stop", "instance", "stop", "Stop",
        "stop a rented machine; its disk stays, and costs a little",
        (
            _INSTANCE,
            Argument("yes", "over runs that work on it, too", "flag", default=False, option="--yes"),
            Argument("lose", "runs that may be cut off, apart by commas", many=True, option="--lose",
                     metavar="NAMES"),
            _FOLLOW,
        ),
        handler=_H + "stop", keys=("s",), when="instance.stoppable", confirm="instance.stop",
        starts_work=True, use=1,
    ),
    Action(
        "instance.terminate", "instance", "terminate", "Terminate",
        "end a rented machine and give back its disk",
        (
            _INSTANCE, _YES,
            Argument("lose", "runs and datasets (name@version) that may be lost with it, apart by commas",
                     many=True, option="--lose", metavar="NAMES"),
            _FOLLOW,
        ),
        handler=_H + "terminate", keys=("X",), when="instance.endable", confirm="instance.terminate",
        starts_work=True,
    ),
    Action(
        "instance.replace", "instance", "replace", "Launch it again",
        "ask for another machine in the place of one that its cloud took away; the others of its group stay",
        (
            _INSTANCE,
            Argument("on_demand_cap", "one that the cloud does not take back will do, up to this price; also"
                     " of one that waits", "float", option="--on-demand-cap", metavar="USD"),
            _FOLLOW,
        ),
        handler=_H + "replace_lost", keys=("R",), when="instance.lost",
        starts_work=True, use=1,
    ),
    Action(
        "instance.deadline", "instance", "deadline", "Deadline",
        "when a machine ends, even at work; more time, another time, or none",
        (
            _INSTANCE,
            Argument("until", "+2h: more; 2h: from now; 18:00; none. Left out: says when", metavar="TIME"),
        ),
        handler=_H + "deadline", keys=("e",), when="instance.mortal", starts_work=True,
    ),
    Action(
        "instance.open", "instance", "open", "Let this machine in",
        "open a rented machine's firewall to the address that you have now, in another network than before",
        (_INSTANCE,), handler=_H + "let_in", when="instance.endable", starts_work=True,
    ),
    Action(
        "instance.orphans", "instance", "orphans", "Orphans",
        "machines of ours in clouds that nothing here speaks of: list them, take one up, or end one",
        (
            Argument("what", "what to do with one; default: list all", "choice",
                     choices=("adopt", "terminate"), metavar="adopt|terminate"),
            Argument("orphan", "the cloud's id of it, or the beginning", metavar="ID"),
            Argument("name", "what to call one that is taken up", option="--name"),
            Argument("deadline", "when one that is taken up ends, even at work: 4h, 18:00, none",
                     default="4h", option="--deadline", metavar="TIME"),
            Argument("switch", "put a switch on one that is taken up and came without: it ends itself then,"
                     " with nobody there", "flag", default=False, option="--switch"),
            Argument("everyone", "machines of every home, in all clouds that this machine has credentials of:"
                     " of a home that was lost, say", "flag", default=False, option="--everyone"),
            _YES,
            Argument("lose", "runs whose results may be lost with it, apart by commas", many=True,
                     option="--lose", metavar="NAMES"),
        ),
        handler="cloudtui.handlers.orphans:orphans", keys=("o",), starts_work=True, lists=True, use=3,
    ),
)  # fmt: skip

_CLOUDS = (
    Action("provider.list", "provider", "list", "List", "clouds that are installed, and what each can do",
           handler=_P + "list_all", faces=ONLY_CLI),
    Action(
        "provider.check", "provider", "check", "Check",
        "what a cloud still needs: credentials and permissions, one by one",
        (
            _PROVIDER,
            Argument("max_usd", "rent a real machine, too, of at most this an hour; reach it and end it",
                     "float", option="--max-usd", metavar="USD"),
        ),
        handler=_P + "check", faces=ONLY_CLI, starts_work=True,
    ),
    Action(
        "provider.claim", "provider", "claim", "Say whose it is",
        "of a home that was copied: it was moved here and goes on with what was rented, or it is a copy; of a"
        " cloud with another key: what was rented there is in the account of this one",
        (Argument("what", "moved: the other one is not used any more; copy: it becomes one of its own; a"
                  " cloud's name: its key is new, the account is not", required=True,
                  metavar="moved|copy|PROVIDER"),),
        handler=_P + "claim", faces=ONLY_CLI,
    ),
)  # fmt: skip

ACTIONS = _RENTING
PROVIDER_ACTIONS = _CLOUDS
