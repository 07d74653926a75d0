import { Secret, TOTP } from 'otpauth'
import encodeQR from 'qr'

/** Six digits, new every 30 s (RFC 6238, SHA-1 as every app knows it): an account's second factor. */
const PERIOD_S = 30
/** A code counts one step early and one late: phones' clocks differ. */
const WINDOW = 1
/** RFC 4226 asks for 128 bits at least, and recommends 160. */
const SECRET_BYTES = 20

export interface NewCodes {
  /** Base32, as it is kept and as a person can type it into an app. */
  readonly secret: string
  /** `otpauth://totp/…`: shown once. */
  readonly link: string
  /** The link as a picture of characters, for a terminal. */
  readonly picture: string
}

export function newCodes(user: string, site: string): NewCodes {
  const totp = codesOf(new Secret({ size: SECRET_BYTES }).base32, user, site)
  const link = totp.toString()
  return { secret: totp.secret.base32, link, picture: pictureOf(link) }
}

/** Two rows of dots to a line, so that it fits a window of 80 by 24; in black on white, whatever the terminal's own colours are. */
function pictureOf(link: string): string {
  const rows = encodeQR(link, 'raw', { ecc: 'low', border: 2 })
  const lines = rows.flatMap((upper, i) => {
    if (i % 2 === 1) return []
    const dots = upper.map((dark, j) => DOTS[`${dark ? 1 : 0}${rows[i + 1]?.[j] ? 1 : 0}`] ?? ' ')
    return [`${BLACK_ON_WHITE}${dots.join('')}${PLAIN}`]
  })
  return lines.join('\n')
}

const DOTS: Readonly<Record<string, string>> = { '00': ' ', '01': '▄', '10': '▀', '11': '█' }
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m'
const PLAIN = '\x1b[0m'

/** The time step that a code belongs to; null when it is none of now. Whether it was used before, the caller knows. */
export function stepOf(secret: string, code: string, nowMs: number): number | null {
  const token = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return null
  const delta = codesOf(secret, '', '').validate({ token, timestamp: nowMs, window: WINDOW })
  return delta === null ? null : Math.floor(nowMs / 1000 / PERIOD_S) + delta
}

const codesOf = (secret: string, label: string, site: string): TOTP =>
  new TOTP({ issuer: site === '' ? '' : `Rota desk, ${site}`, label, algorithm: 'SHA1', digits: 6, period: PERIOD_S, secret: Secret.fromBase32(secret) })
