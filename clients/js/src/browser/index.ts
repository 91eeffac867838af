export { drawResults, type CanvasSinkOptions } from './canvas-sink.js';
export { resultStream } from './result-stream.js';
export { VideoSource, type VideoSourceOptions } from './video-source.js';
