import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { base64Url, fromBase64Url } from '#base/base64-url.ts'
import { toHex } from '#base/bytes.ts'
import { address } from '#base/ids.ts'
import { type Card, cardLink, readCardLink } from '#patient/card.ts'
import { alterations, drawn, secretOf } from './support.ts'

// given a card
// ├── its link reads as the card again, whatever stands in names and addresses
// ├── nothing that a server would see of the link tells anything of it
// ├── any character altered, left out or added: it is not read
// └── other links are not read

const card: Card = {
  programme: 'cardio',
  secret: secretOf('Ann'),
  chainId: 31_337,
  contracts: address(toHex(drawn('directory', 20))),
  site: 3,
  portals: ['https://portal.north.example/', 'https://portal.south.example:8443/rota/'],
}

describe('the link of a card', () => {
  it('reads as the card again', () => {
    const cards = [
      card,
      { ...card, programme: 'Herz & Kreislauf, 50 % = #1' },
      { ...card, programme: '心臓' },
      { ...card, programme: '<script>', portals: ['https://a.example/?x=1&y=2,3#4'] },
      { ...card, portals: [], site: 0 },
    ]
    for (const one of cards) {
      const link = cardLink('https://patient.example/page/', one)
      assert.deepEqual(readCardLink(link), one)
      assert.deepEqual(readCardLink(new URL(link).hash), one)
      assert.match(link, /^[!-~]+$/)
    }
  })

  it('tells a server nothing', () => {
    const { origin, pathname, search } = new URL(cardLink('https://patient.example/page/?lang=de#old', card))
    assert.equal(`${origin}${pathname}${search}`, 'https://patient.example/page/?lang=de')
  })

  it('is short enough for a QR code that a telephone reads off paper', () => {
    // Version 13 holds 331 bytes at level M.
    assert.ok(cardLink('https://patient.hospital.example/', card).length <= 331)
  })

  it('is not read when any of its characters is altered', () => {
    const link = cardLink('https://patient.example/', card)
    const from = link.indexOf('#')
    let tried = 0
    for (const altered of alterations(link.slice(from), 'aB0-_/:,&=#%')) {
      assert.equal(readCardLink(link.slice(0, from) + altered), null, altered)
      tried++
    }
    assert.ok(tried > 2_000)
  })

  it('is no other link', () => {
    for (const link of ['', '#', 'https://patient.example/', '#v=1', '#v=1&x=', cardLink('', card).replace('v=1', 'v=2')])
      assert.equal(readCardLink(link), null)
    const short = cardLink('', { ...card, secret: drawn('short', 15) })
    const noContract = cardLink('', { ...card, contracts: '0x12' as Card['contracts'] })
    for (const link of [short, noContract]) assert.equal(readCardLink(link), null, 'a right checksum alone is not enough')
  })
})

describe('base64url', () => {
  it('has one text for the same bytes', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = drawn(`${length}`, length)
      assert.equal(base64Url(bytes), Buffer.from(bytes).toString('base64url'))
      assert.deepEqual(fromBase64Url(base64Url(bytes)), bytes)
    }
    for (const text of ['a', 'AB', 'AA==', 'A+A/', 'AAAAA', 'ä']) assert.equal(fromBase64Url(text), null)
  })
})
