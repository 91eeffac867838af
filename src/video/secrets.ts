/** What is shown in the place of a secret. */
const hidden = '***';

/** An address of the network; what follows its scheme ends at a space. */
const address = /([a-z][a-z\d+.-]*:)\/\/(\S*)/gi;
/** What a sentence has after an address. */
const punctuation = /[:,.;)\]}'"]*$/;
/** A password may have an @ that should be written as %40. */
const password = /^([^/:@]*):([^/?#]*)@/;
/** The values of a query: passphrases, tokens, signatures. */
const queryValue = /([?&][^=&#]*=)([^&#]+)/g;
/** The last part of an RTMP address after that of its application: who has it may send there. */
const streamKey = /^([^/?#]*\/[^?#]*\/)([^/?#]+)/;

/** Shorter ones alone are too likely to be a part of another word. */
const shortestAlone = 8;

/** Returns text in which the passwords, stream keys and query values of all addresses are `***`. */
export function withoutSecrets(text: string): string {
  return text.replace(address, (_, scheme: string, rest: string) => `${scheme}//${hide(scheme, rest)}`);
}

/**
 * Returns a function that does so, also where a secret of one of these addresses stands alone: servers repeat the keys
 * that they refuse.
 */
export function secretsHider(addresses: readonly string[]): (text: string) => string {
  const secrets: string[] = [];
  for (const [, scheme = '', rest = ''] of addresses.flatMap((one) => [...one.matchAll(address)])) {
    hide(scheme, rest, (secret) => secrets.push(secret));
  }
  const alone = secrets.filter(({ length }) => length >= shortestAlone);
  return (text) => alone.reduce((shown, secret) => shown.replaceAll(secret, hidden), withoutSecrets(text));
}

/** @param rest of an address after its scheme. @param found is called with each secret. */
function hide(scheme: string, rest: string, found: (secret: string) => void = () => {}): string {
  const [tail = ''] = punctuation.exec(rest) ?? [];
  const replaced = (_: string, before: string, secret: string): string => {
    found(secret);
    return before + hidden;
  };
  const shown = rest
    .slice(0, rest.length - tail.length)
    .replace(password, (all, user: string, secret: string) => `${replaced(all, `${user}:`, secret)}@`)
    .replace(queryValue, replaced);
  return (/^rtmp/i.test(scheme) ? shown.replace(streamKey, replaced) : shown) + tail;
}
