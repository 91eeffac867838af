import type { InferenceSession } from 'onnxruntime-node';
import { join } from 'node:path';
import type { Device } from '../../device.js';

export interface SessionSettings {
  /** Threads of one inference call, for what runs on the processor. */
  readonly threads: number;
  /** Where engines of TensorRT are kept; null keeps none. */
  readonly cacheDirectory: string | null;
}

/**
 * TensorRT's settings by the names that ONNX Runtime has for them. The binding of onnxruntime-node 1.30 hands on
 * `deviceId` alone and drops the rest (microsoft/onnxruntime#26854), so that engines are built at each start until
 * one comes that does not.
 */
interface TensorRtOptions extends InferenceSession.TensorRtExecutionProviderOption {
  readonly trt_engine_cache_enable: boolean;
  readonly trt_engine_cache_path: string;
  readonly trt_timing_cache_enable: boolean;
  readonly trt_timing_cache_path: string;
  readonly trt_fp16_enable: boolean;
}

/** What people should know of a device that builds engines of the networks before it runs them; null for others. */
export function buildsEngines({
  provider,
}: Device): { readonly note: string; readonly during: string } | null {
  if (provider !== 'tensorrt') return null;
  return {
    note: 'onnxruntime-node does not hand on the settings of TensorRT caches: engines are built at every start',
    during: 'building TensorRT engines (minutes): ',
  };
}

/** CoreML's newer format of programs, which knows far more operators (COREML_FLAG_CREATE_MLPROGRAM). */
const mlProgram = 0x10;

/**
 * How a network is loaded for a device. What a device cannot do goes to the next one in the list, at last to the
 * processor, which is always there.
 */
export function sessionOptions(device: Device, settings: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: executionProviders(device, settings),
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // Threads that spin while they wait take the cores that the server itself needs between the calls.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    // DirectML can have neither of these.
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
