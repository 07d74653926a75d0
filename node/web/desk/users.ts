/** Who may sit at the desk. */
export interface DeskUser {
  readonly name: string
  /** Argon2id; null for one who comes by the hospital's own sign-in service. */
  readonly password: string | null
  /** Base32 secret of the one-time codes; null as above. */
  readonly codes: string | null
  /** ISO time at which the account was made: one that was removed and added again is another. */
  readonly since: string
}

/** Read again at each request: an account that is removed is out at once. */
export interface DeskUsers {
  find(name: string): Promise<DeskUser | null>
}

/** Of a person, so that the log says who it was. */
export const isUserName = (name: unknown): name is string => typeof name === 'string' && /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u.test(name)
