/** Lays rows out in columns; text beyond the width continues in further lines of the last column. */
export function table(rows: readonly (readonly string[])[], width: number, indent = '  '): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(
      0,
      ...rows.map((row) =>
        column < row.length - 1 || column < columns - 1 ? (row[column] ?? '').length : 0,
      ),
    ),
  );
  return rows.flatMap((row) => {
    const leading = row.slice(0, -1).map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2));
    const start = `${indent}${leading.join('')}`;
    const [first = '', ...others] = wrap(row.at(-1) ?? '', Math.max(20, width - start.length));
    const hanging = ' '.repeat(start.length);
    return [`${start}${first}`.trimEnd(), ...others.map((line) => `${hanging}${line}`)];
  });
}

/** Breaks a text between words into lines of at most this length; a longer word gets its own line. */
export function wrap(text: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= length)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
