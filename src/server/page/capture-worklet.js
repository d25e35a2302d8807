// Runs on the browser's audio thread: mixes the microphone down to mono, measures its level, and cuts it into chunks of 100 ms of
// 16-bit samples at the context's own rate. It only counts samples; it knows no clock.
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate / 10);
    this.chunk = new Int16Array(this.size);
    this.filled = 0;
    this.capturing = false;
    this.peak = 0;
    this.heard = 0;
    this.port.onmessage = ({ data }) => this.command(data);
  }

  command(name) {
    if (name === "capture") this.capturing = true;
    if (name === "hold") {
      this.capturing = false;
      this.flush();
      this.port.postMessage({ held: true });
    }
  }

  flush() {
    if (this.filled === 0) return;
    const pcm = this.chunk.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage({ pcm }, [pcm.buffer]);
  }

  process([channels]) {
    if (channels.length === 0) return true;
    const frames = channels[0].length;
    for (let i = 0; i < frames; i += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      const sample = sum / channels.length;
      this.peak = Math.max(this.peak, Math.abs(sample));
      if (this.capturing) this.take(sample);
    }
    this.heard += frames;
    if (this.heard >= this.size / 2) {
      this.port.postMessage({ peak: this.peak });
      this.peak = 0;
      this.heard = 0;
    }
    return true;
  }

  take(sample) {
    this.chunk[this.filled] = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
    this.filled += 1;
    if (this.filled === this.size) this.flush();
  }
}

registerProcessor("capture", Capture);
