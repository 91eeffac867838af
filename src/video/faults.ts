/** Errors of the operating system: if ffmpeg's output has one, it is the reason. */
const systemErrors =
  /No space left on device|Disk quota exceeded|File too large|Permission denied|No such file or directory|Read-only file system|Is a directory|Not a directory|File name too long|Operation not permitted|Input\/output error|Cannot allocate memory/;

/** Lines that name the reason, wherever they are in the output. */
const reasons =
  /moov atom not found|Could not find tag|not currently supported in container|Only .* are supported|Unknown (?:en|de)coder|[Dd]ecoder .*not found|Invalid channel layout|Unsupported channel layout|does(?:n't| not) support|unknown codec|does not contain any stream|matches no streams|encrypted|requires? (?:an? )?key/;

/** Lines that only report the consequence of an earlier error. */
const consequences =
  /^Conversion failed!|^Error (?:while )?(?:opening|initializing|selecting|sending|processing|submitting|reinitializing|muxing|flushing|binding|parsing) |^Could not write header|^Nothing was written|^Error closing|^Task finished|^Terminating thread|^Consider increasing|^Failed to (?:set value|inject frame)|^Cannot determine format|Last message repeated|^Aborted\(\)|^Exiting |^At least one output|^To ignore this|^\s*$/;

/** If the end of a file cannot be written, ffmpeg still exits with 0. */
const unwritten = /^Error (?:writing trailer|closing file)|^av_interleaved_write_frame/;

/**
 * Returns the line of ffmpeg's output that best says why it failed, without the component's address; undefined if there
 * is no output.
 */
export function reasonIn(text: string): string | undefined {
  const lines = faultLines(text);
  const causes = lines.filter((line) => !consequences.test(line));
  return (
    causes.find((line) => systemErrors.test(line)) ??
    lines.find((line) => systemErrors.test(line)) ??
    causes.find((line) => reasons.test(line)) ??
    causes[0] ??
    lines.at(-1)
  );
}

/** Returns the line about a failed write after which ffmpeg exits with 0; undefined if there is none. */
export function unwrittenIn(text: string): string | undefined {
  return faultLines(text).find((line) => unwritten.test(line));
}

function faultLines(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.replace(/^(?:\[[^\]]*? @ 0x\w+\] ?)+/, '').trim())
    .filter((line) => line !== '' && line !== 'Aborted()');
}
