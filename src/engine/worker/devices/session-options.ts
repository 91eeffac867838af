import type { InferenceSession } from 'onnxruntime-node';
import { join } from 'node:path';
import type { Device } from '../../device.js';

export interface SessionSettings {
  /** Threads per inference call, for work on the CPU. */
  readonly threads: number;
  /** Folder for TensorRT engines; null keeps none. */
  readonly cacheDirectory: string | null;
}

/**
 * TensorRT's settings, by their names in ONNX Runtime. The binding of onnxruntime-node 1.30 passes on only `deviceId`
 * (microsoft/onnxruntime#26854), so engines are built at each start until a later version passes on the rest.
 */
interface TensorRtOptions extends InferenceSession.TensorRtExecutionProviderOption {
  readonly trt_engine_cache_enable: boolean;
  readonly trt_engine_cache_path: string;
  readonly trt_timing_cache_enable: boolean;
  readonly trt_timing_cache_path: string;
  readonly trt_fp16_enable: boolean;
}

/** Returns texts for a device that builds engines before it runs the networks; null for other devices. */
export function buildsEngines({
  provider,
}: Device): { readonly note: string; readonly during: string } | null {
  if (provider !== 'tensorrt') return null;
  return {
    note: 'onnxruntime-node does not pass on the TensorRT cache settings: engines are built at every start',
    during: 'building TensorRT engines (takes minutes): ',
  };
}

/** CoreML's newer model format, with far more operators (COREML_FLAG_CREATE_MLPROGRAM). */
const mlProgram = 0x10;

/**
 * Returns how to load a network for a device. Operators that a provider lacks go to the next one in the list, and last
 * to the CPU.
 */
export function sessionOptions(device: Device, settings: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: executionProviders(device, settings),
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // Threads that spin while they wait would take the cores that the server needs between calls.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    // Devices leave some operators to the CPU on purpose, of which ONNX Runtime warns at each start.
    ...(device.provider !== 'cpu' && { logSeverityLevel: 3 }),
    // DirectML requires both.
    ...(device.provider === 'dml' && { enableMemPattern: false, executionMode: 'sequential' }),
  };
}

function executionProviders(
  { provider, index }: Device,
  { cacheDirectory }: SessionSettings,
): readonly InferenceSession.ExecutionProviderConfig[] {
  switch (provider) {
    case 'auto':
    case 'cpu':
      return ['cpu'];
    case 'cuda':
      return [{ name: 'cuda', deviceId: index }];
    case 'tensorrt':
      return [tensorRt(index, cacheDirectory), { name: 'cuda', deviceId: index }];
    case 'webgpu':
      return ['webgpu'];
    case 'coreml':
      return [{ name: 'coreml', coreMlFlags: mlProgram }];
    case 'dml':
      return [{ name: 'dml', deviceId: index }];
  }
}

function tensorRt(index: number, cacheDirectory: string | null): InferenceSession.ExecutionProviderConfig {
  const path = cacheDirectory === null ? '' : join(cacheDirectory, 'tensorrt');
  const options: TensorRtOptions = {
    name: 'tensorrt',
    deviceId: index,
    trt_engine_cache_enable: path !== '',
    trt_engine_cache_path: path,
    trt_timing_cache_enable: path !== '',
    trt_timing_cache_path: path,
    trt_fp16_enable: true,
  };
  return options;
}
