import { z } from 'zod'
import { isDay } from '#core/consent/terms.ts'

const line = z.string().trim().min(1, 'may not be empty').max(200)
const text = z.string().trim().min(1, 'may not be empty').max(4_000)
const webUrl = z.string().max(200).refine(isWebUrl, 'write a URL that begins with https:// (http:// on this machine)')
const account = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'write an address: 0x and 40 digits of hex')
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/

const words = z.strictObject({ title: line, purpose: text, data: text, withdrawing: text, limits: text })

/** Terms as a person writes them. */
export const termsSchema = z.strictObject({
  version: z.int().min(1).max(1_000_000),
  programme: z.string().trim().min(1, 'may not be empty').max(100),
  lawfulBasis: z.enum(['consent', 'opt-out']),
  expires: z.string('write a day in quotes, as "2031-12-31"').refine(isDay, 'write a day, as "2031-12-31"'),
  cadenceHours: z
    .number()
    .min(0.001)
    .max(24 * 92)
    .default(24),
  relayDelayHours: z
    .number()
    .min(0.001)
    .max(24 * 30)
    .default(12),
  controllers: z
    .array(z.strictObject({ name: line, contact: line }))
    .min(1, 'name at least one')
    .max(64),
  dataProtectionOfficer: z.strictObject({ name: line, email: z.email('write an e-mail address').max(200) }),
  dataCategories: z.array(line).min(1, 'name at least one').max(64),
  ombudsman: z.strictObject({ name: line, address: account }).nullable().default(null),
  portals: z.array(webUrl).max(16).default([]),
  texts: z
    .record(z.string(), words)
    .refine((texts) => Object.keys(texts).length > 0, 'write one language at least')
    .refine((texts) => Object.keys(texts).every((language) => LANGUAGE.test(language)), 'name languages by their codes, as en or de'),
})

/** Anybody on the way could read, and hold back, what goes over plain HTTP. */
function isWebUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
}
