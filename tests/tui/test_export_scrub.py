"""What a report takes out of texts and names, and what it leaves in them."""

from __future__ import annotations

import time

import pytest

from cloudtui.reporting.scrub import ADDRESS, HOST, PATH, USER, Scrub
from cloudtui.secrecy import SECRET, is_secret


def test_the_scrub_leaves_what_tells_nothing() -> None:
    scrub = Scrub(["box-1", "local"], ["alice"], ["s3cret-value"])
    for plain in ("train/loss", "resnet-base@3", "12:30:45", "1e-3", "a/b/c", "and/or", "local", "std::max",
                  "3 / 4", "model.onnx", "v1.2.3", "xbox-12"):  # fmt: skip
        assert scrub(plain) == plain
    assert scrub("BOX-1, alice: s3cret-value") == f"{HOST}, {USER}: {SECRET}"
    assert scrub("at 10.0.0.1:22 or fe80::1%eth0") == f"at {ADDRESS} or {ADDRESS}"
    assert scrub("--data=/home/x/y z") == f"--data={PATH} z"
    assert scrub("/a path/with spaces") == PATH


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=hunter2 x", "password=[secret] x"), ("the token is hunter2", "the token is [secret]"),
        ("HF_TOKEN: 'hunter2 b', c", "HF_TOKEN: [secret], c"), ("dbPassword=hunter2", "dbPassword=[secret]"),
        ('{"secret": "hunter2"}', '{"secret": [secret]}'), ("--pwd hunter2", "--pwd [secret]"),
        ("Authorization: Bearer hunter2", "Authorization: [secret]"), ("512 tokens each", "512 tokens each"),
        ("glpat-abcdef0123456789", SECRET), ("a ghp_abcdefghij0123456789", f"a {SECRET}"),
        ("x_hf_abcdefghij0123456789", f"x_{SECRET}"), ("AKIAABCDEFGHIJKL2345", SECRET),
        ("sk-abcdefghij0123456789", SECRET), ("eyJhbGciOi.eyJzdWIi.SflKx-w5c", SECRET),
        ("cc -I/home/alex/include", f"cc -I{PATH}"), ("f(x)/home/alex/y", f"f(x){PATH}"),
        ("at ../../alex/x", f"at {PATH}"), ("in /home/al ex/x: no", f"in {PATH} no"),
        ("in C:\\Users\\al ex\\x", f"in {PATH}"), ("on gpu07.cs.kth.se:22.", f"on {ADDRESS}."),
        ("torch.cuda.OutOfMemoryError: x", "torch.cuda.OutOfMemoryError: x"),
        ("digits.best.onnx", "digits.best.onnx"),
    ],
)  # fmt: skip
def test_what_a_text_tells_in_common_forms_is_taken_out(text: str, left: str) -> None:
    assert Scrub()(text) == left


@pytest.mark.parametrize(
    "part", ["x", "a.", "a-", "/home/a b", "password ", "../", "eyJ", ":", "\\home\\", "a@"]
)
def test_a_long_text_does_not_take_long(part: str) -> None:
    """No pattern is tried from each letter to the end: that would be minutes here."""
    scrub = Scrub(["box-1"], ["alice"])
    before = time.process_time()
    scrub(part * (100_000 // len(part)))
    assert time.process_time() - before < 5.0


def test_keys_keep_their_words_though_a_machine_is_called_so() -> None:
    scrub = Scrub(["train", "gpu07.lab"], ["alice"], ["s3cret-value"])
    for key in ("train/loss", "data.train.home", "optimizer.params.lr", "token accuracy"):
        assert scrub.key(key) == key
    assert scrub("on train") == f"on {HOST}"
    assert scrub.key("gpu07.lab/s3cret-value/10.0.0.1") == f"{HOST}/{SECRET}/{ADDRESS}"


@pytest.mark.parametrize(
    ("key", "secret"),
    [("api_key", True), ("hfToken", True), ("db.password", True), ("max_tokens", True), ("tokenizer", False),
     ("deployKey", True), ("SENTRY_DSN", True), ("slack.webhook", True), ("db-pwd", True), ("hfAPIKey", True),
     ("pass", True), ("monkey", False), ("num_key_value_heads", False), ("bypass", False), ("lr", False)],
)  # fmt: skip
def test_settings_that_are_secrets_by_their_name(key: str, secret: bool) -> None:
    assert is_secret(key) is secret
