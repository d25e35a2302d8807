#!/usr/bin/env python3
"""A Whisper model of CTranslate2 to the file that whisper.cpp loads.

usage: ggml.py CTRANSLATE2_FOLDER OUTPUT f16|q8_0

All little-endian: a magic number; eleven sizes; the mel filters; the vocabulary as bytes; then each tensor, its dimensions innermost
first, under OpenAI's name. Matrices are f16, as they are stored, or q8_0: blocks of 32 values as one f16 scale and 32 int8. Convolutions
stay f16, and biases, norms and positions become f32, because that is what whisper.cpp has room for. Needs: numpy, faster-whisper.
"""
import json, struct, sys
from pathlib import Path

import numpy
from faster_whisper.feature_extractor import FeatureExtractor

MAGIC = 0x67676D6C
F32, F16, Q8_0 = 0, 1, 8  # ggml's tensor types
FILE_TYPES = {"f16": 1, "q8_0": 2007}  # ggml's "mostly" types; the thousands are the version of the quantisation
TYPES = [numpy.float32, numpy.int8, numpy.int16, numpy.int32, numpy.float16]  # CTranslate2's, by number
BLOCK = 32
RATE, WINDOW = 16000, 400  # samples a second, and in one Fourier transform


class Reader:
    """A file of CTranslate2, value by value."""

    def __init__(self, path):
        self.bytes, self.at = path.read_bytes(), 0

    def number(self, format):
        (value,) = struct.unpack_from("<" + format, self.bytes, self.at)
        self.at += struct.calcsize("<" + format)
        return value

    def name(self):
        length = self.number("H")
        self.at += length
        return self.bytes[self.at - length : self.at - 1].decode()

    def variable(self):
        shape = [self.number("I") for _ in range(self.number("B"))]
        type, size = TYPES[self.number("B")], self.number("I")
        self.at += size
        return numpy.frombuffer(self.bytes[self.at - size : self.at], type).reshape(shape)


def read(path):
    """Variable names to arrays."""
    reader = Reader(path)
    reader.number("I")
    if reader.name() != "WhisperSpec":
        sys.exit(f"{path.name} is not a Whisper model of CTranslate2")
    reader.number("I")
    return {reader.name(): reader.variable() for _ in range(reader.number("I"))}


def attention(variables, source, target, stacks):
    """Query, key and value, which CTranslate2 stacks. Whisper's keys have no bias, so theirs, all zeros, is left out."""
    width = len(variables[f"{source}/linear_0/bias"]) // len(stacks[0])
    for number, names in enumerate(stacks):
        for index, name in enumerate(names):
            rows = slice(index * width, (index + 1) * width)
            yield f"{target}.{name}.weight", variables[f"{source}/linear_{number}/weight"][rows]
            bias = variables[f"{source}/linear_{number}/bias"][rows]
            if name != "key":
                yield f"{target}.{name}.bias", bias
            elif bias.any():
                sys.exit(f"{source}: the key has a bias")


def pairs(variables, names):
    for source, target in names:
        weight, bias = ("gamma", "beta") if f"{source}/gamma" in variables else ("weight", "bias")
        yield f"{target}.weight", variables[f"{source}/{weight}"]
        yield f"{target}.bias", variables[f"{source}/{bias}"]


def layer(variables, source, target):
    yield from attention(variables, f"{source}/self_attention", f"{target}.attn", [["query", "key", "value"], ["out"]])
    names = [("self_attention/layer_norm", "attn_ln"), ("ffn/layer_norm", "mlp_ln"), ("ffn/linear_0", "mlp.0"), ("ffn/linear_1", "mlp.2")]
    if f"{source}/attention/layer_norm/gamma" in variables:
        yield from attention(variables, f"{source}/attention", f"{target}.cross_attn", [["query"], ["key", "value"], ["out"]])
        names.append(("attention/layer_norm", "cross_attn_ln"))
    yield from pairs(variables, [(f"{source}/{name}", f"{target}.{short}") for name, short in names])


def layers(variables, side):
    return len({name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_") and "/ffn/" in name})


def tensors(variables):
    """Every tensor under OpenAI's name."""
    for side in ("encoder", "decoder"):
        yield f"{side}.positional_embedding", variables[f"{side}/position_encodings/encodings"]
        for index in range(layers(variables, side)):
            yield from layer(variables, f"{side}/layer_{index}", f"{side}.blocks.{index}")
    yield "decoder.token_embedding.weight", variables["decoder/embeddings/weight"]
    tops = [("encoder/conv1", "encoder.conv1"), ("encoder/conv2", "encoder.conv2")]
    tops += [("encoder/layer_norm", "encoder.ln_post"), ("decoder/layer_norm", "decoder.ln")]
    yield from pairs(variables, tops)


def sizes(variables, kind):
    vocabulary, width = variables["decoder/embeddings/weight"].shape
    heads = {side: int(variables[f"{side}/num_heads"].reshape(-1)[0]) for side in ("encoder", "decoder")}
    audio = [len(variables["encoder/position_encodings/encodings"]), width, heads["encoder"], layers(variables, "encoder")]
    text = [len(variables["decoder/position_encodings/encodings"]), width, heads["decoder"], layers(variables, "decoder")]
    return [vocabulary, *audio, *text, variables["encoder/conv1/weight"].shape[1], FILE_TYPES[kind]]


def vocabulary(path):
    """The bytes of each token of text, in order; whisper.cpp names the special ones, which follow, by itself."""
    model = json.loads(path.read_text())
    special = {token["content"] for token in model["added_tokens"]}
    # Byte-level BPE writes a byte that has no glyph of its own as a character from 256 on.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    byte = {**{chr(code): code for code in plain}, **{chr(256 + place): code for place, code in enumerate(others)}}
    words = sorted((number, word) for word, number in model["model"]["vocab"].items() if word not in special)
    if [number for number, _ in words] != list(range(len(words))):
        sys.exit(f"{path.name}: the tokens of text are not numbered from 0")
    return [bytes(byte[character] for character in word) for _, word in words]


def quantised(values):
    """Blocks of 32 values: a scale that makes the largest 127, and the values in its steps."""
    blocks = values.astype(numpy.float32).reshape(-1, BLOCK)
    scale = numpy.abs(blocks).max(axis=1, keepdims=True) / 127
    steps = numpy.rint(blocks / numpy.where(scale == 0, 1, scale)).astype(numpy.int8)
    return numpy.concatenate([scale.astype(numpy.float16).view(numpy.int8), steps], axis=1)


def encoded(name, values, kind):
    """ggml's type of a tensor, its shape there and its bytes."""
    if name.startswith("encoder.conv") and name.endswith(".bias"):
        values = values.reshape(-1, 1)
    if values.ndim == 1 or name.endswith(("bias", "positional_embedding")):
        return F32, values.shape, values.astype(numpy.float32)
    if values.ndim == 3 or kind == "f16":
        return F16, values.shape, values.astype(numpy.float16)
    return Q8_0, values.shape, quantised(values)


def write(out, variables, words, kind):
    header = sizes(variables, kind)
    filters = FeatureExtractor.get_mel_filters(RATE, WINDOW, header[9]).astype(numpy.float32)
    out.write(struct.pack("<I11i", MAGIC, *header))
    out.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
    out.write(struct.pack("<i", len(words)))
    for word in words:
        out.write(struct.pack("<I", len(word)) + word)
    for name, values in tensors(variables):
        type, shape, data = encoded(name, values, kind)
        out.write(struct.pack(f"<3i{len(shape)}i", len(shape), len(name), type, *reversed(shape)))
        out.write(name.encode() + numpy.ascontiguousarray(data).tobytes())


def main():
    folder, output, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with output.open("wb") as out:
        write(out, read(folder / "model.bin"), vocabulary(folder / "tokenizer.json"), kind)


if __name__ == "__main__":
    main()
