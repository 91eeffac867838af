/** Errors of the operating system, which ffmpeg puts at the end of a line: the surest reason there is. */
const SYSTEM =
  /No space left on device|Disk quota exceeded|File too large|Permission denied|No such file or directory|Read-only file system|Is a directory|Not a directory|File name too long|Operation not permitted|Input\/output error|Cannot allocate memory/;

/** Lines that name the reason, wherever among others they stand. */
const REASONS =
  /moov atom not found|Could not find tag|not currently supported in container|Only .* are supported|Unknown (?:en|de)coder|[Dd]ecoder .*not found|Invalid channel layout|Unsupported channel layout|does(?:n't| not) support|unknown codec|does not contain any stream|matches no streams|encrypted|requires? (?:an? )?key/;

/** Lines that only say that something went wrong before. */
const CONSEQUENCES =
  /^Conversion failed!|^Error (?:while )?(?:opening|initializing|selecting|sending|processing|submitting|reinitializing|muxing|flushing|binding|parsing) |^Could not write header|^Nothing was written|^Error closing|^Task finished|^Terminating thread|^Consider increasing|^Failed to (?:set value|inject frame)|^Cannot determine format|Last message repeated|^Aborted\(\)|^Exiting |^At least one output|^To ignore this|^\s*$/;

/** ffmpeg goes on and ends well where the end of a file could not be written. */
const UNWRITTEN = /^Error (?:writing trailer|closing file)|^av_interleaved_write_frame/;

/**
 * Lines of ffmpeg's that say why it failed, without the address of the part of it that speaks, on one line;
 * undefined if it said nothing.
 */
export function reasonIn(text: string): string | undefined {
  const lines = faultLines(text);
  const telling = lines.filter((line) => !CONSEQUENCES.test(line));
  return (
    telling.find((line) => SYSTEM.test(line)) ??
    lines.find((line) => SYSTEM.test(line)) ??
    telling.find((line) => REASONS.test(line)) ??
    telling[0] ??
    lines.at(-1)
  );
}

/** What could not be written though ffmpeg ended well; undefined if nothing. */
export function unwrittenIn(text: string): string | undefined {
  return faultLines(text).find((line) => UNWRITTEN.test(line));
}

function faultLines(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.replace(/^(?:\[[^\]]*? @ 0x\w+\] ?)+/, '').trim())
    .filter((line) => line !== '' && line !== 'Aborted()');
}
