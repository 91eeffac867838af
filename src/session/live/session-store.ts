/** A session that a server wants to serve. */
export interface Claim {
  readonly id: string;
  /** The user that the session belongs to. */
  readonly subject: string;
  /** Number of the resume token that it continues from; 0 for a new session. */
  readonly counter: number;
  /** Sessions that the user may have at the same time, including this one. */
  readonly most: number;
}

/**
 * What the servers of a fleet share about their sessions: which server has each, which of its tokens are spent, and how
 * many a user has. A store that cannot be reached changes nothing: each server then follows its own rules.
 */
export interface SessionStore {
  /**
   * Makes a session this server's, unless its token is spent, or its user has no room; waits only briefly.
   * @returns the number that the next tokens of the session are counted from, above those of all other servers; or why
   *   the session is refused.
   */
  claim(claim: Claim): Promise<number | 'spent' | 'too_many'>;
  /** Marks the tokens of a session of this server up to this number as spent. */
  spend(id: string, counter: number): void;
  /** Marks all tokens of a session of this server as spent. */
  end(id: string): void;
  /** Gives back the user's place. The tokens of the session may be valid elsewhere. */
  release(id: string): void;
}
