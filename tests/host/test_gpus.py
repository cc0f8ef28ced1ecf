from __future__ import annotations

import os

from cloudtui_host import gpus

TWO = """\
0, GPU-8a3c1e2f-0000-1111-2222-333344445555, NVIDIA H200, 143771, 17041, 98, 54, 512.13, 550.144.03
1, GPU-9b3c1e2f-0000-1111-2222-333344445555, NVIDIA H200, 143771, 4, 0, 31, 76.40, 550.144.03
"""
MIG = "0, GPU-8a3c, NVIDIA A100-SXM4-80GB, 81920, 45, [N/A], 34, 58.12, 535.183.01\n"
SICK = "0, GPU-1, Tesla T4, 15360, [Unknown Error], ERR!, [GPU requires reset], [N/A], 470.57.02\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n\n"
)
APPS = """\
GPU-8a3c1e2f-0000-1111-2222-333344445555, {pid}, 17036, /usr/bin/python3, with, commas
GPU-8a3c1e2f-0000-1111-2222-333344445555, 999999999, [N/A], [Not Found]
GPU-unknown, 7, 12, x
not a line
"""


def test_several_gpus() -> None:
    first, second = gpus.parse_gpus(TWO)
    assert first["name"] == "NVIDIA H200"
    assert first["memory_bytes"] == 143771 * 1024 * 1024
    assert (first["utilization"], first["temperature_c"], first["power_w"]) == (98.0, 54.0, 512.13)
    assert (second["index"], second["utilization"], second["driver"]) == (1, 0.0, "550.144.03")


def test_what_a_gpu_does_not_tell_is_none() -> None:
    (mig,) = gpus.parse_gpus(MIG)
    assert mig["utilization"] is None
    assert mig["memory_used_bytes"] == 45 * 1024 * 1024
    (sick,) = gpus.parse_gpus(SICK)
    assert [sick[key] for key in ("memory_used_bytes", "utilization", "temperature_c", "power_w")] == [
        None
    ] * 4
    assert sick["memory_bytes"] == 15360 * 1024 * 1024


def test_errors_are_no_gpus() -> None:
    for text in (
        NO_DRIVER,
        "No devices were found\n",
        "",
        'Field "x" is not a valid field to query.\n',
        "\0\xff,,,,,,,,,",
    ):
        assert gpus.parse_gpus(text) == []
    assert gpus.parse_apps(NO_DRIVER) == []


def test_a_name_with_commas_keeps_the_numbers_in_place() -> None:
    (gpu,) = gpus.parse_gpus("3, GPU-1, Graphics, Device, 100, 50, 1, 2, 3, 400.1\n")
    assert (gpu["index"], gpu["name"], gpu["memory_bytes"], gpu["power_w"]) == (
        3,
        "Graphics, Device",
        100 << 20,
        3.0,
    )


def test_processes_are_found_with_their_users() -> None:
    found = gpus.join(gpus.parse_gpus(TWO), gpus.parse_apps(APPS.format(pid=os.getpid())))
    mine, gone = found[0]["processes"]
    assert mine["pid"] == os.getpid()
    assert mine["user"] == gpus.user_of(os.getpid()) != "?"
    assert mine["memory_bytes"] == 17036 << 20
    assert mine["command"] == "/usr/bin/python3, with, commas"
    assert (gone["user"], gone["memory_bytes"]) == ("?", None)
    assert found[1]["processes"] == []
