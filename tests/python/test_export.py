"""`lamina export --to c`: the header is compiled as a stranger would, and agrees with `predict` to 1e-5."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import lamina as lm
from lamina.cli import main
from lamina.export import to_c

COMPILERS = [name for name in ("gcc", "clang", "clang-14") if shutil.which(name)]
ACTIVATIONS = [
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid"),
    *("tanh", "softplus", "softsign", "exponential", "mish", "softmax", "log_softmax"),
]

PROGRAM = """
#include <stdio.h>
#include <string.h>
{includes}
int main(int count, char **names) {{
  (void)count;
{runs}
  return 1;
}}
"""
RUN = """
  if (strcmp(names[1], "{name}") == 0) {{
    static float input[{upper}_INPUT_SIZE], output[{upper}_OUTPUT_SIZE];
    while (fread(input, sizeof input, 1, stdin) == 1) {{
      {name}_predict(input, output);
      fwrite(output, sizeof output, 1, stdout);
    }}
    return 0;
  }}
"""


def every_layer() -> lm.Sequential:
    return lm.Sequential(
        [
            lm.Input((3, 4)),
            lm.Rescaling(0.5, 0.25),
            lm.Dense(6, "gelu"),
            lm.LayerNormalization(axis=[1, 2]),
            lm.GaussianNoise(0.1),
            lm.ActivityRegularization(l2=0.1),
            lm.LeakyReLU(0.1),
            lm.Dense(5, use_bias=False),
            lm.BatchNormalization(),
            lm.ELU(0.7),
            lm.Flatten(),
            lm.Dropout(0.5),
            lm.Reshape((5, 3)),
            lm.Dense(4),
            lm.Softmax(),
            lm.BatchNormalization(center=False, scale=False),
            lm.LayerNormalization(center=False, scale=False),
        ],
        seed=3,
    )


def models() -> dict[str, lm.Sequential]:
    """Every layer, every activation, and the shapes at the edges, by the name of their header."""
    made = {
        f"act_{kind}": lm.Sequential([lm.Input((7,)), lm.Dense(9, kind), lm.Activation(kind)], seed=1)
        for kind in ACTIVATIONS
        if kind != "exponential"  # twice it would multiply rounding errors by more than 1e5
    }
    made["act_exponential"] = lm.Sequential([lm.Input((7,)), lm.Dense(9, "exponential")], seed=1)
    made["every_layer"] = every_layer()
    made["nothing"] = lm.Sequential([lm.Input((3,)), lm.Dropout(0.5)])
    made["first_in_place"] = lm.Sequential([lm.Input((3,)), lm.Activation("tanh"), lm.Softmax()])
    made["wide"] = lm.Sequential([lm.Input((784,)), lm.Dense(128, "relu"), lm.Dense(10, "softmax")], seed=2)
    made["deep"] = lm.Sequential([lm.Input((1,)), *[lm.Dense(n, "tanh") for n in (9, 1, 8, 3)]], seed=4)
    generator = np.random.default_rng(0)
    for model in made.values():  # statistics and biases that are not 0 and 1
        model.set_weights([w + generator.uniform(0, 0.3, w.shape) for w in model.get_weights()])
    return made


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    made = models()
    reports = {name: to_c(model, folder / f"{name}.h", name) for name, model in made.items()}
    source = PROGRAM.format(
        includes="\n".join(f'#include "{name}.h"' for name in made),
        runs="".join(RUN.format(name=name, upper=name.upper()) for name in made),
    )
    (folder / "main.c").write_text(source)
    return folder, made, reports


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_header_compiles_without_a_warning_and_agrees_with_predict(exported, compiler):
    found = [name for name in COMPILERS if name.startswith(compiler)]
    if not found:
        pytest.skip(f"{compiler} is not there: the exported header was NOT compiled with it")
    folder, made, _ = exported
    program = folder / compiler
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O1"]
    done = subprocess.run(
        [found[0], *flags, folder / "main.c", "-o", program, "-lm"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name, model in made.items():
        shape = tuple(extent for extent in model.input_shape if extent is not None)
        x = np.random.default_rng(5).normal(0, 2, (20, *shape)).astype(np.float32)
        if name == "wide":
            x = abs(x) / 10
        output = subprocess.run([program, name], input=x.tobytes(), capture_output=True, check=True).stdout
        expected = model.predict(x)
        np.testing.assert_allclose(
            np.frombuffer(output, np.float32).reshape(expected.shape), expected, 1e-5, 1e-5, err_msg=name
        )


def test_every_layer_and_activation_is_covered(exported):
    layers = set(lm.layers.__all__)
    used = {type(layer).__name__ for model in exported[1].values() for layer in model.layers}
    assert layers - {"Input", "Layer"} <= used
    assert set(lm.activations.__all__) - {"get"} <= set(ACTIVATIONS)


def test_header_takes_no_heap_and_needs_math_alone(exported):
    text = (exported[0] / "every_layer.h").read_text()
    assert re.findall(r"#include <(.+)>", text) == ["math.h"]
    assert not re.search(r"alloc|free\(", text)
    assert all(
        line.startswith("static const float") for line in text.splitlines() if re.search(r"\] = {$", line)
    )


def test_literals_bring_back_every_bit(tmp_path):
    bits = np.random.default_rng(1).integers(0, 2**31, 4000, dtype=np.uint32)
    bits = np.append(bits, [1, 0x80000000, 0x7F7FFFFF, 0x00800000]).astype(np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    model = lm.Sequential([lm.Input((len(values),)), lm.Dense(1, use_bias=False)])
    model.layers[0].kernel = values[:, None]
    to_c(model, tmp_path / "m.h")
    body = re.search(r"kernel\[\d+\] = {(.+?)}", (tmp_path / "m.h").read_text(), re.DOTALL).group(1)
    back = np.array([word.strip().rstrip("f") for word in body.split(",")], np.float64).astype(np.float32)
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))


def test_command_prints_flash_and_ram(tmp_path, capsys):
    model = lm.Sequential([lm.Input((20,)), lm.Dense(64, "relu"), lm.Dense(32, "relu"), lm.Dense(3)], seed=1)
    model.save(tmp_path / "m.safetensors")
    arguments = ["export", str(tmp_path / "m.safetensors"), "--to", "c", "-o", str(tmp_path / "m.h")]
    assert main([*arguments, "--name", "net"]) == 0
    output = capsys.readouterr().out
    assert f"{4 * model.count_params():,} bytes of weights" in output
    assert f"{4 * (64 + 32):,} bytes of stack" in output
    assert "#define NET_INPUT_SIZE 20\n#define NET_OUTPUT_SIZE 3\n" in (tmp_path / "m.h").read_text()


@pytest.mark.parametrize("name", ["", "2nd", "a-b", "while", "a b", "_x"])
def test_name_must_be_an_identifier(tmp_path, name):
    with pytest.raises(lm.errors.ArgumentError, match="expected an identifier of C"):
        to_c(models()["nothing"], tmp_path / "m.h", name)


def test_a_failure_leaves_the_old_header(tmp_path):
    path = tmp_path / "m.h"
    path.write_text("old")
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1)], seed=1)
    model.layers[0].bias = [np.inf]
    with pytest.raises(lm.errors.ArgumentError, match="finite weights"):
        to_c(model, path)
    assert path.read_text() == "old"
    with pytest.raises(lm.errors.StateError, match="built"):
        to_c(lm.Sequential([lm.Dense(1)]), path)
    with pytest.raises(lm.errors.FileError, match="can't be written"):
        to_c(models()["nothing"], tmp_path / "no" / "m.h")
    assert [file.name for file in tmp_path.iterdir()] == ["m.h"]
