"""lamina's reader and writer of JSON beside Python's: what both take, and what lamina refuses.

tests/run.sh names the build tree it made (LAMINA_BUILD); else this test makes the program itself.
"""

import json
import math
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import lamina as lm

ROOT = Path(__file__).parents[2]
MAX_DEPTH = 32

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def through_lamina(tmp_path_factory):
    """A function that gives each document (bytes) as lamina writes it again, or None where it is refused."""
    tree = os.environ.get("LAMINA_BUILD")
    if not tree:
        tree = tmp_path_factory.mktemp("tree")
        for command in (
            ["cmake", "-S", ROOT, "-B", tree, "-G", "Ninja", "-DLAMINA_BUILD_TESTS=ON"],
            ["cmake", "--build", tree, "--target", "program_json"],
        ):
            subprocess.run(command, check=True, capture_output=True)

    def run(documents):
        program = Path(tree) / "tests" / "programs" / "program_json"
        text = b"".join(document + b"\n" for document in documents)
        done = subprocess.run([program], input=text, capture_output=True, check=True)
        lines = done.stdout.split(b"\n")[:-1]
        assert len(lines) == len(documents)
        return [None if line.startswith(b"refused: ") else line for line in lines]

    return run


class RefusedError(Exception):
    """What Python's json takes and lamina doesn't."""


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise RefusedError("a key stands twice")
    return dict(pairs)


def whole(text):
    value = int(text)
    if 2**63 <= value < 2**64:
        raise RefusedError("a number is too large")
    # Beyond 64 bits it is a float; so is the sign of a zero not kept.
    return value if -(2**63) <= value < 2**63 else real(text)


def real(text):
    value = float(text)
    if not math.isfinite(value):
        raise RefusedError("a number is too large")
    return value


def constant(text):
    raise RefusedError(text)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def expected(document):
    """The value that lamina has to read, or None where it has to refuse."""
    try:
        text = document.decode("utf-8")
        if text.startswith("\ufeff"):
            return None
        value = json.loads(
            text, object_pairs_hook=unique, parse_int=whole, parse_float=real, parse_constant=constant
        )
        json.dumps(value, ensure_ascii=False).encode()  # fails for halves of surrogate pairs
    except (RefusedError, ValueError, RecursionError):
        return None
    return None if depth(value) > MAX_DEPTH else (value,)


def exact(value):
    """Something that tells 1 from 1.0 and -0.0 from 0.0."""
    if isinstance(value, dict):
        return [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [exact(item) for item in value]
    return repr(value)


def compare(through_lamina, documents):
    for document, got in zip(documents, through_lamina(documents), strict=True):
        want = expected(document)
        assert (got is None) == (want is None), (document, got)
        if want is not None:
            assert exact(json.loads(got)) == exact(want[0]), document
            # Compact, with numbers as Python writes them.
            assert got.decode() == json.dumps(want[0], ensure_ascii=False, separators=(",", ":")), document


TEXTS = [
    "",
    "a",
    "class",
    "\u00e9",
    "\u20ac",
    "\U0001f600",
    '"',
    "\\",
    "/",
    "\b\f\n\r\t",
    "\x01\x1f\x7f",
    "\ud7ff\ue000",
]


def random_number(rng):
    return rng.choice(
        [
            lambda: rng.randint(-5, 5),
            lambda: rng.randint(-(2**63), 2**63 - 1),
            lambda: rng.uniform(-1, 1),
            lambda: rng.uniform(-1, 1) * 10.0 ** rng.randint(-320, 308),
            lambda: 5e-324 * rng.randint(0, 2**20),
            lambda: float(rng.randint(-(2**54), 2**54)),
        ]
    )()


def random_value(rng, levels=4):
    kind = rng.random()
    if levels > 0 and kind < 0.25:
        return [random_value(rng, levels - 1) for _ in range(rng.randint(0, 4))]
    if levels > 0 and kind < 0.5:
        return {rng.choice(TEXTS) + str(i): random_value(rng, levels - 1) for i in range(rng.randint(0, 4))}
    if kind < 0.75:
        return random_number(rng)
    return rng.choice([None, True, False, *TEXTS])


def test_documents_are_read_and_written_as_python_does(through_lamina):
    rng = random.Random(1)
    documents = []
    for _ in range(4000):
        separators = rng.choice([(",", ":"), (", ", ": "), (" ,\t", "\r: ")])
        text = json.dumps(random_value(rng), ensure_ascii=rng.random() < 0.5, separators=separators)
        documents.append(text.encode())
    compare(through_lamina, documents)
    assert all(expected(document) is not None for document in documents)


def test_damaged_documents_are_refused_where_python_refuses_them(through_lamina):
    rng = random.Random(2)
    alphabet = b'{}[],:"\\/ \t-+.0123456789eEutrfalsn\x00\x1f\x7f\x80\xbf\xc0\xc3\xe2\xed\xf0\xf4\xff'
    documents = []
    for _ in range(20000):
        text = bytearray(json.dumps(random_value(rng, 3), ensure_ascii=rng.random() < 0.5).encode())
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text) + 1)
            edit = rng.random()
            if edit < 0.4:
                text[at:at] = bytes([rng.choice(alphabet)])
            elif edit < 0.7:
                del text[at : at + rng.randint(1, 3)]
            else:
                text[at : at + 1] = bytes([rng.choice(alphabet)])
        documents.append(bytes(text).replace(b"\n", b" "))
    compare(through_lamina, documents)
    refused = sum(expected(document) is None for document in documents)
    assert 2000 < refused < 19000  # both kinds are there


def test_numbers_come_back_exactly(through_lamina):
    rng = random.Random(3)
    documents = [str(2**k + d).encode() for k in range(70) for d in (-1, 0, 1)]
    documents += [b"-" + document for document in documents]
    for _ in range(20000):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 40)))
        point = rng.randint(0, len(digits))
        text = f"{int(digits[:point] or '0')}.{digits[point:] or '0'}e{rng.randint(-345, 330)}"
        documents.append(rng.choice(["", "-"]).encode() + text.encode())
    # Halfway between two doubles, and a little beside that.
    for _ in range(500):
        low = math.ldexp(rng.randint(2**52, 2**53), rng.randint(1, 60))
        middle = (int(low) + int(math.nextafter(low, math.inf))) // 2
        documents += [f"{middle + d}.{tail}".encode() for d in (-1, 0, 1) for tail in ("0", "0" * 60 + "1")]
    compare(through_lamina, documents)


@pytest.mark.parametrize(
    "document",
    [
        "",
        " ",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "truE",
        "'a'",
        '"a',
        '"\t"',
        '"\\x41"',
        '"\\u12"',
        '"\\u12g4"',
        '"\\ud800"',
        '"\\udc00"',
        '"\\ud800\\u0041"',
        '"\\ud800x"',
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":1}',
        "{1:2}",
        "[]]",
        "[1]//",
        "\ufeff[]",
        "[" * 33 + "]" * 33,
    ],
)
def test_what_is_no_json_is_refused(through_lamina, document):
    assert through_lamina([document.encode()]) == [None]


def test_the_edges_of_what_is_taken(through_lamina):
    documents = [
        "[" * 32 + "]" * 32,
        '"\\ud83d\\ude00\\u0000\\/"',
        "-0",
        "-0.0",
        "1E5",
        "[\t\r 1 ]",
        "1e-999",
    ]
    compare(through_lamina, [document.encode() for document in documents])


def test_the_reason_names_the_byte(tmp_path):
    header = b'{"a":[1,}'
    path = tmp_path / "bad.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(lm.errors.FormatError, match=re.escape("got an error at byte 8")):
        lm.load_model(path)
