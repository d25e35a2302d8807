"""Requests that must be refused, and clients that go away."""

import asyncio, io, os, socket, time, wave

import openai
from live.harness import hold


def silence(mib):
    """A WAV file of about so many MiB."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes(bytes(mib << 20))
    return out.getvalue()


class Errors:
    def __init__(self, server, clips, largest_mib):
        self.server, self.clips, self.largest_mib = server, clips, largest_mib
        self.client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0, timeout=300)
        self.clip = clips.cantonese[1].read_bytes()

    async def all(self, tally):
        for name, doing in (
            ("a wrong model is not found", self.model),
            ("what cannot be honoured is refused by name", self.refused),
            ("what is no recording is refused", self.recordings),
            ("a foreign page is refused, a page of this server is not", self.foreign),
            ("too many at once are refused, with a time to come back", self.many),
            ("who goes away frees the place, and the work ends", self.gone),
        ):
            await tally.check(name, lambda doing=doing: asyncio.to_thread(doing))

    def create(self, content, **options):
        return self.client.audio.transcriptions.create(**{"file": ("a.wav", content), "model": "whisper-base", **options})

    def refuse(self, kind, code, param, content=None, **options):
        try:
            self.create(self.clip if content is None else content, **options)
        except openai.APIStatusError as error:
            seen = (type(error).__name__, error.code, error.param)
            hold(seen == (kind, code, param), f"{seen}, not {(kind, code, param)}")
            hold(isinstance(error.type, str) and error.body["message"], f"{error.body}")
            return error
        return hold(False, f"{options or param} is not refused")

    def model(self):
        self.refuse("NotFoundError", "model_not_found", "model", model="gpt-4o-transcribe")
        try:
            self.client.models.retrieve("gpt-4o-transcribe")
            hold(False, "it is found")
        except openai.NotFoundError as error:
            hold(error.code == "model_not_found", f"{error.code}")

    def refused(self):
        bad, unsupported = ("BadRequestError", "invalid_value"), ("BadRequestError", "unsupported_parameter")
        verbose = {"response_format": "verbose_json"}
        cases = (
            (*bad, "language", {"language": "fr"}),
            (*bad, "response_format", {"response_format": "pdf"}),
            (*unsupported, "response_format", {"response_format": "diarized_json"}),
            (*bad, "temperature", {"temperature": 1.5}),
            (*bad, "timestamp_granularities[]", {"timestamp_granularities": ["word"]}),
            (*bad, "timestamp_granularities[]", {"timestamp_granularities": ["char"], **verbose}),
            (*bad, "stream", {"stream": True, "response_format": "srt"}),
            (*unsupported, "include[]", {"include": ["logprobs"]}),
            (*bad, "keywords[]", {"keywords": ["metformin", "x"]}),
            (*bad, "keywords[]", {"keywords": [f"word {number}" for number in range(100_000)]}),
            (*unsupported, "languages[]", {"languages": ["en", "yue"]}),
            (*unsupported, "known_speaker_names[]", {"known_speaker_names": ["doctor"]}),
            (*bad, "chunking_strategy[threshold]", {"chunking_strategy": {"type": "server_vad", "threshold": 2}}),
            ("BadRequestError", "unknown_parameter", None, {"extra_body": {"best_of": 3}}),
        )
        for kind, code, param, options in cases:
            self.refuse(kind, code, param, **options)
        return f"{len(cases)} parameters"

    def recordings(self):
        self.refuse("BadRequestError", "invalid_file", "file", content=b"this is no sound at all" * 100)
        self.refuse("BadRequestError", "invalid_file", "file", content=b"this is no sound at all" * 100, stream=True)
        self.refuse("BadRequestError", "invalid_file", "file", content=b"")
        self.refuse("BadRequestError", "invalid_file", "file", content=self.clip[: len(self.clip) // 2])
        for mib in (self.largest_mib + 1, 40):
            error = self.refuse("APIStatusError", "file_too_large", "file", content=silence(mib))
            hold(error.status_code == 413, f"{error.status_code}")
        hold(self.create(silence(1)).text == "", "silence is heard as words")

    def foreign(self):
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
            self.refuse("PermissionDeniedError", "foreign", None, extra_headers=headers)
        own = {"Origin": f"http://127.0.0.1:{self.server.port}"}
        hold(self.create(self.clip, extra_headers=own).text is not None, "a page of the server's own is refused")

    def many(self):
        async def all_of():
            async with openai.AsyncOpenAI(base_url=str(self.client.base_url), api_key="none", max_retries=0) as client:
                file = ("a.wav", self.clips.long.read_bytes())
                sent = [client.audio.transcriptions.create(file=file, model="whisper-base", language="en") for _ in range(7)]
                return await asyncio.gather(*sent, return_exceptions=True)

        answers = asyncio.run(all_of())
        refused = [answer for answer in answers if isinstance(answer, openai.RateLimitError)]
        texts = {answer.text for answer in answers if not isinstance(answer, Exception)}
        hold(len(refused) == 3 and len(texts) == 1, f"{len(refused)} refused, {len(texts)} texts")
        hold(all(int(error.response.headers["retry-after"]) > 0 for error in refused), "no time to come back")
        retrying = self.client.with_options(max_retries=3)
        hold(retrying.audio.transcriptions.create(file=("a.wav", self.clip), model="whisper-base").text is not None, "no place is free")

    def gone(self):
        """Fills all places, leaves each at another moment, and wants a place again."""
        body = self.clips.longer.read_bytes()
        form = (
            b'--XX\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-base\r\n'
            b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + body + b"\r\n--XX--\r\n"
        )
        head = (
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
            f"Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: {len(form)}\r\n\r\n"
        ).encode()
        for share in (0.0, 0.5, 1.0, 1.0):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            connection.sendall(head + form[: int(len(form) * share)])
            self.open = [*getattr(self, "open", []), connection]
        time.sleep(1.5)
        self.refuse("RateLimitError", "too_many_recordings", None)
        for connection in self.open:
            connection.close()
        begin = time.monotonic()
        while True:
            try:
                self.create(silence(1))
                break
            except openai.RateLimitError:
                hold(time.monotonic() - begin < 10, "no place is free after 10 s")
                time.sleep(0.1)
        freed = time.monotonic() - begin
        time.sleep(1.0)
        before = self.processor_seconds()
        time.sleep(1.0)
        busy = self.processor_seconds() - before
        hold(busy < 0.3, f"it is still at work: {busy:.1f} s of processor time in a second")
        return f"a place is free after {freed:.1f} s"

    def processor_seconds(self):
        with open(f"/proc/{self.server.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
