import type { AuthenticatedMessage } from '@millrace/protocol';
import type { Access } from '../access/access.js';
import { anonymous, secondsUntil, type Grant } from '../access/grant.js';
import { Deadline } from '../time/deadline.js';
import { ProtocolError } from '../wire/protocol-error.js';

/** The access token of one connection: its grant, renewal and expiry. */
export class ConnectionAccess {
  readonly #access: Access;
  readonly #expiry: Deadline;
  /** Verified with the upgrade, or with hello. */
  #grant: Grant | null;
  /** Numbers of the last renewal received and the last applied: a later token may be verified first. */
  #asked = 0;
  #renewed = 0;

  /**
   * @param grant of the token that came with the connection; null if none did.
   * @param expired is called when the token expires, unless `gone` has aborted.
   */
  constructor(access: Access, grant: Grant | null, expired: () => void, gone: AbortSignal) {
    this.#access = access;
    this.#grant = access.required ? grant : anonymous;
    this.#expiry = new Deadline(expired, gone);
  }

  /** What the client may do now. */
  get grant(): Grant {
    return this.#grant ?? anonymous;
  }

  /**
   * Verifies the token of a hello, which takes precedence over that of the connection.
   * @throws {ProtocolError} unauthorized
   */
  async greet(token: string | undefined): Promise<Grant> {
    if (token !== undefined || this.#grant === null) this.#grant = await this.#access.verify(token);
    return this.#grant;
  }

  /**
   * Replaces the token by a new one.
   * @param subject the user that the session belongs to.
   * @param settle calls `take` when the new token may come into force, or throws if it may not.
   * @throws {ProtocolError} unauthorized, or what `settle` throws.
   */
  async renew(
    token: string,
    subject: string,
    settle: (grant: Grant, take: () => void) => Promise<void> = (_grant, take) => Promise.resolve(take()),
  ): Promise<AuthenticatedMessage> {
    const asked = ++this.#asked;
    const grant = await this.#access.verify(token);
    if (grant.subject !== subject)
      throw new ProtocolError('unauthorized', 'the token belongs to another user');
    await settle(grant, () => {
      if (asked <= this.#renewed) return;
      this.#renewed = asked;
      this.#grant = grant;
      this.watch();
    });
    const expires = secondsUntil(grant);
    return { type: 'authenticated', ...(expires !== null && { expires_seconds: expires }) };
  }

  /** Watches the expiry of the token from now on. */
  watch(): void {
    const { expires } = this.grant;
    if (expires === null) this.#expiry.clear();
    else this.#expiry.set(expires - Date.now());
  }
}
