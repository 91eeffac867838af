import { openMicrophone } from '../recorder.js';

const periodMs = 50;
/** Drums and basses: below this frequency, in hertz. */
const bassHertz = 160;
/** Root mean square that counts as full in a quiet room, before anything louder was heard. */
const quietest = 0.02;
/** Share of the loudest sound that is forgotten with each measurement, so that the level follows the room. */
const forgotten = 0.002;
/** A beat is this much louder than the last second, and comes this long after the one before. */
const onset = 1.5;
const shortestBeatMs = 250;
/** How long a beat takes to fade to a third. */
const fadeMs = 200;

/**
 * Reports the level of the microphone, and its beats as pulses that fade, both from 0 to 1.
 * @returns a function that ends it.
 * @throws {Error} (as rejection) for the user.
 */
export async function listenToMicrophone(
  receive: (input: string, value: number) => void,
): Promise<() => void> {
  const media = await openMicrophone();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(media).connect(analyser);
  const wave = new Float32Array(analyser.fftSize);
  const spectrum = new Uint8Array(analyser.frequencyBinCount);
  const bassBins = Math.max(1, Math.round((bassHertz * analyser.fftSize) / context.sampleRate));
  const beats = new Beats();
  let loudest = quietest;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(wave);
    const level = Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
    loudest = Math.max(quietest, level, loudest * (1 - forgotten));
    receive('microphone level', Math.min(1, level / loudest));
    analyser.getByteFrequencyData(spectrum);
    const bass = spectrum.subarray(0, bassBins).reduce((sum, value) => sum + value, 0) / (255 * bassBins);
    receive('microphone beat', beats.next(bass, performance.now()));
  }, periodMs);
  return () => {
    clearInterval(timer);
    for (const track of media.getTracks()) track.stop();
    void context.close();
  };
}

/** Finds beats in the energy of the bass. */
class Beats {
  #recent: number[] = [];
  #beatAt = -Infinity;

  /** @param energy 0 to 1. @param now milliseconds. @returns a pulse from 1, at a beat, towards 0. */
  next(energy: number, now: number): number {
    const mean = this.#recent.reduce((sum, value) => sum + value, 0) / Math.max(1, this.#recent.length);
    const isLoud = energy > 0.1 && energy > onset * mean && this.#recent.length > 0;
    if (isLoud && now - this.#beatAt >= shortestBeatMs) this.#beatAt = now;
    this.#recent = [...this.#recent, energy].slice(-1000 / periodMs);
    return Math.exp((this.#beatAt - now) / fadeMs);
  }
}
