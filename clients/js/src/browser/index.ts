export { drawResults, type CanvasSinkOptions } from './canvas-sink.js';
export { VideoSource, type VideoSourceOptions } from './video-source.js';
