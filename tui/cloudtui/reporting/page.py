"""The frame of a report: its style sheet, its head and its foot. Nothing in it is fetched from anywhere."""

from __future__ import annotations

from cloudtui import __version__
from cloudtui import format as fmt
from cloudtui.reporting.markup import Html, Paper, ours, tag

_LIGHT = (
    "--ground:#fbfcfd;--panel:#f1f3f6;--ink:#1d2430;--muted:#5b6470;--rule:#cfd5dc;--accent:#0b6fb8;"
    "--good:#1d7a34;--warn:#8a5a00;--bad:#b3261e;--busy:#1a5fa8;"
    "--c0:#0b6fb8;--c1:#b35c00;--c2:#1d7a34;--c3:#8e3a9d;--c4:#b3261e;--c5:#6f6800"
)
_DARK = (
    "--ground:#16191e;--panel:#1c2027;--ink:#d8dce3;--muted:#8b93a1;--rule:#353b45;--accent:#4fa8e8;"
    "--good:#7bc47f;--warn:#e5b567;--bad:#f0716b;--busy:#6fa8dc;"
    "--c0:#56b6f7;--c1:#f5a742;--c2:#7bc47f;--c3:#d77fd7;--c4:#f0716b;--c5:#c9c04b"
)
_COLOURS = "".join(
    f".c{n}{{stroke:var(--c{n})}}.b{n}{{fill:var(--c{n});fill-opacity:.18;stroke:none}}.c{n}.dot{{fill:var(--c{n})}}"
    for n in range(6)
)
_STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}}
main,footer{{max-width:76rem;margin:0 auto;padding:1rem}}
h1{{font-size:1.6rem;margin:.5rem 0;overflow-wrap:anywhere}}
h2{{font-size:1.15rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--rule);padding-bottom:.2rem}}
h3,h4{{font-size:1rem;margin:1.2rem 0 .4rem}}
.muted,footer{{color:var(--muted);font-weight:normal}}
.mark{{font-size:1rem;font-weight:normal;white-space:nowrap}}
.good{{color:var(--good)}}.bad{{color:var(--bad)}}.warn{{color:var(--warn)}}.busy{{color:var(--busy)}}
.quiet{{color:var(--muted)}}
dl{{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:.5rem 0}}
dt{{color:var(--muted);font-size:.85rem}}dd{{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}}
.tag{{background:var(--panel);border:1px solid var(--rule);border-radius:.3rem;
padding:0 .4rem;margin-right:.3rem}}
.wide{{overflow-x:auto}}
table{{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.3rem 0}}
th,td{{padding:.2rem .7rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}}
th{{font-weight:600}}thead th{{color:var(--muted);font-weight:normal;white-space:nowrap}}
td,tbody th{{overflow-wrap:break-word;min-width:3rem}}
.numbers td,.numbers thead th+th{{text-align:right;white-space:nowrap}}
.variants td:nth-last-child(-n+2),.variants thead th:nth-last-child(-n+2){{text-align:left}}
.variants td:last-child{{white-space:normal;min-width:16rem}}
.confusion td,.confusion th{{padding:.15rem .4rem;min-width:2.2rem}}
.hit{{background:color-mix(in srgb,var(--c2) calc(var(--w)*.5),transparent)}}
.miss{{background:color-mix(in srgb,var(--c4) calc(var(--w) + 8%),transparent)}}
.charts{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}}
figure{{margin:0;background:var(--panel);border:1px solid var(--rule);border-radius:.4rem;
padding:.6rem;min-width:0}}
figcaption{{font-weight:600;overflow-wrap:anywhere}}
figure>svg{{width:100%;height:auto;display:block}}
svg text{{fill:var(--muted);font-size:12px}}
.grid{{stroke:var(--rule);stroke-width:1}}
path,.legend line{{fill:none;stroke-width:2;stroke-linejoin:round}}
{_COLOURS}
.legend{{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.3rem 0 0;padding:0;
font-size:.9rem}}
.legend svg{{width:26px;height:10px;margin-right:.4rem}}.legend li{{overflow-wrap:anywhere}}
@media print{{figure,tr{{break-inside:avoid}}}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(paper: Paper, title: str, body: Html, made_at: float) -> str:
    """The whole document. Its policy forbids scripts and all that would be fetched."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", paper.text(title)),
        tag("style", Html(_STYLE)),
    )
    made = (fmt.rfc3339(made_at) or "")[:16].replace("T", " ")
    said = (
        f"Made by cloudtui {__version__} on {made} UTC. Machines, addresses, people and paths are left out."
    )
    whole = tag("html", head, tag("body", tag("main", body), tag("footer", ours(said))), lang="en")
    return f"<!doctype html>\n{whole}\n"
