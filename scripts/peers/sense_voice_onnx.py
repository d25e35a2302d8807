#!/usr/bin/env python3
"""A SenseVoice checkpoint in FunASR's layout to what sherpa-onnx loads, as sherpa-onnx's own export makes it.

usage: sense_voice_onnx.py FOLDER OUTPUT

OUTPUT gets model.onnx (f32), model.int8.onnx (the weights of matrix products in 8 bits, by onnxruntime's dynamic quantisation) and
tokens.txt. The network is FunASR's own code, traced; its inputs, names and metadata are those that sherpa-onnx asks for. Runs in the
virtual environment of scripts/sense-voice-reference.
"""
import contextlib, io, sys
from pathlib import Path

import onnx
import sentencepiece
import torch
import yaml
from onnxruntime.quantization import QuantType, quantize_dynamic

# FunASR says of each of its parts what else that would need.
with contextlib.redirect_stdout(io.StringIO()):
    from funasr.frontends.wav_frontend import load_cmvn
    from funasr.models.sense_voice.model import SenseVoiceSmall

EVENT_AND_MOOD = [1, 2]  # rows of the embedding that ask for them
OPSET = 13


class Traced(torch.nn.Module):
    """Features and the numbers of two queries to logits."""

    def __init__(self, model):
        super().__init__()
        self.embed, self.encoder, self.output = model.embed, model.encoder, model.ctc.ctc_lo

    def forward(self, x, x_length, language, text_norm):
        asked = self.embed(torch.tensor([EVENT_AND_MOOD])).repeat(x.size(0), 1, 1)
        x = torch.cat((self.embed(language).unsqueeze(1), asked, self.embed(text_norm).unsqueeze(1), x), dim=1)
        return self.output(self.encoder(x, x_length + 4)[0])


def loaded(folder, config, pieces):
    front = config["frontend_conf"]
    width = front["n_mels"] * front["lfr_m"]
    names = {"encoder": config["encoder"], "encoder_conf": config["encoder_conf"], **config["model_conf"]}
    model = SenseVoiceSmall(**names, input_size=width, vocab_size=pieces)
    model.load_state_dict(torch.load(folder / "model.pt", map_location="cpu", weights_only=True))
    return model.eval(), width


def export(model, width, path):
    names = ["x", "x_length", "language", "text_norm"]
    inputs = (torch.randn(2, 100, width), *(torch.tensor(pair, dtype=torch.int32) for pair in ([80, 100], [0, 3], [14, 15])))
    axes = {"x": {0: "N", 1: "T"}, **{name: {0: "N"} for name in names[1:]}, "logits": {0: "N", 1: "T"}}
    with torch.no_grad():
        torch.onnx.export(Traced(model), inputs, path, opset_version=OPSET, input_names=names, output_names=["logits"],
                          dynamic_axes=axes, dynamo=False)


def metadata(model, config, statistics, pieces):
    shift, scale = (",".join(map(str, values.tolist())) for values in load_cmvn(str(statistics)))
    languages = {f"lang_{name}": number for name, number in model.lid_dict.items()}
    return {
        "model_type": "sense_voice_ctc",
        "version": 2,  # 8-bit weights are unsigned
        "normalize_samples": 0,  # they are from -32768 to 32767
        "lfr_window_size": config["frontend_conf"]["lfr_m"],
        "lfr_window_shift": config["frontend_conf"]["lfr_n"],
        "neg_mean": shift,
        "inv_stddev": scale,
        "vocab_size": pieces,
        "with_itn": model.textnorm_dict["withitn"],
        "without_itn": model.textnorm_dict["woitn"],
        **languages,
    }


def main():
    folder, output = map(Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    processor = sentencepiece.SentencePieceProcessor(model_file=str(next(folder.glob("*.bpe.model"))))
    pieces = processor.GetPieceSize()
    (output / "tokens.txt").write_text("".join(f"{processor.IdToPiece(id)} {id}\n" for id in range(pieces)), encoding="utf-8")
    model, width = loaded(folder, config, pieces)
    whole, quantised = output / "model.onnx", output / "model.int8.onnx"
    export(model, width, whole)
    graph = onnx.load(whole)
    del graph.metadata_props[:]
    for key, value in metadata(model, config, folder / "am.mvn", pieces).items():
        graph.metadata_props.add(key=key, value=str(value))
    onnx.save(graph, whole)
    quantize_dynamic(whole, quantised, op_types_to_quantize=["MatMul"], weight_type=QuantType.QUInt8)


if __name__ == "__main__":
    main()
