/**
 * Receipts of a real site on a real chain
 * given a programme with terms that name an ombudsman, and four patients
 * ├── receipts say what was agreed, are countersigned by the site's account, and show their consent in the root on chain; no name is in them
 * ├── withdrawn by receipt, by the key itself, by the ombudsman: the history says which way; a tag that was never granted has none
 * ├── written anew they hold their history, under the site's signature, and nothing that somebody else had sealed
 * ├── another's key is no ombudsman's; what is no tag is refused
 * ├── given for a time, they say when it is over, and are counted no more
 * ├── given again on the page, the record shows what the patient signed, and whether it holds; cards open the page that the site names
 └── the desk stops at once while the chain is away, and says that it is not countersigned; with the chain it is, later too; twice is refused
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { connectChain } from '#adapters/chain/ethers-chain.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { startAnvil } from '#adapters/devchain/anvil.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { createAccount } from '#adapters/vault/site-vault.ts'
import { confirmAgain } from '#app/consent/confirm-again.ts'
import { checkConfirmation } from '#app/consent/confirmation-check.ts'
import { type OmbudsmanCall, withdrawAsOmbudsman } from '#app/consent/consent-ombudsman.ts'
import { recordConsents } from '#app/consent/consent-record.ts'
import { showConsents } from '#app/consent/consent-show.ts'
import { consentStatus } from '#app/consent/consent-status.ts'
import { relayWithdrawals } from '#app/consent/consent-withdraw.ts'
import { checkReceipt } from '#app/consent/receipt-check.ts'
import { withdrawAtDesk } from '#app/consent/withdraw-at-desk.ts'
import { countersign } from '#app/consent/withdrawal-countersign.ts'
import { siteAnswers } from '#app/portal/site-answers.ts'
import { publishTerms } from '#app/programme/publish-terms.ts'
import { atSite } from '#app/site/at-site.ts'
import { readConfig } from '#app/site/config.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { address, type Digest, digest } from '#base/ids.ts'
import { shownText } from '#cli/output/consent-shown-text.ts'
import { confirmationText } from '#cli/output/consent-text.ts'
import { plain } from '#cli/output/style.ts'
import { addressOf, consentKeys, programmeId } from '#patient/keys.ts'
import { askAgain } from '#patient/portal-api.ts'
import { completeReceipt, type ReceiptV2, readReceiptText, receiptContent } from '#patient/receipt.ts'
import { signRequest } from '#patient/request.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { readWithdrawalReceipt, type WithdrawalReceipt, withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { HTML_NAME, makeDeskSite, PROGRAMME } from '../desk/desk-site.ts'
import { receiptOf, TERMS } from '../patient/receipts.ts'
import { drawn, secretOf } from '../patient/support.ts'

const refused = (work: Promise<unknown>, code: ErrorCode) => assert.rejects(work, (error) => isRotaError(error) && error.code === code)

describe('receipts of a site', { timeout: 90_000 }, () => {
  let site: Awaited<ReturnType<typeof makeDeskSite>>
  let where: { chain: string; contracts: string }
  let ombudsman: Pick<OmbudsmanCall, 'keystore' | 'password'>
  const files = new Map<string, string>()
  const receipt = (patient: string) => readReceiptText(readFileSync(files.get(patient) ?? '', 'utf8')) as ReceiptV2
  const asOmbudsman = (what: Partial<OmbudsmanCall>) =>
    withdrawAsOmbudsman({ ...where, ...ombudsman, receipts: [], programme: PROGRAMME, tags: [], signal: site.call.signal, ...what })

  before(async () => {
    site = await makeDeskSite()
    const password = { file: join(site.dir, 'password-2') }
    await writeFile(password.file, 'pass\n')
    ombudsman = { keystore: join(site.dir, 'ombudsman.json'), password }
    const key = await createAccount(ombudsman.keystore, 'pass', systemRandom)
    const terms = { ...TERMS, version: 1, ombudsman: { name: 'An office', address: key.address } }
    await publishTerms({ ...site.call, terms, stewardPassword: null })
    const receipts = join(site.dir, 'handed')
    const made = await recordConsents({ ...site.call, programme: PROGRAMME, patients: { names: ['4711', '4713', HTML_NAME] }, receipts, language: 'de' })
    ;['4711', '4713', HTML_NAME].forEach((patient, i) => files.set(patient, made.receipts[i]?.file ?? ''))
    files.set('4712', join(site.dir, 'receipts', readdirSync(join(site.dir, 'receipts')).find((name) => name.endsWith('.json')) ?? ''))
    const config = await readConfig(site.folder)
    where = { chain: config.chain, contracts: config.contracts }
  })
  after(() => site?.stop())

  it('say what was agreed, under the signature of the account that the chain knows', async () => {
    const { receipts } = await consentStatus({ ...site.call, programme: undefined, receipts: [...files.values()] })
    assert.deepEqual(
      receipts.map(({ countersignedBy, here }) => [countersignedBy, here]),
      receipts.map(() => ['Basel', 'granted']),
    )
    assert.ok(receipts.every(({ inclusionHolds }) => inclusionHolds !== false))
    assert.equal(receipts.at(-1)?.inclusionHolds, true, 'recorded before the terms: its root went on chain at once')
    const { terms } = receipt('4711')
    assert.deepEqual([terms?.agreed.version, terms?.agreed.texts, receipt('4712').terms], [1, TERMS.texts, null])
    const written = [...files.values()].flatMap((file) => [file, file.replace('.json', '.html')]).map((file) => readFileSync(file, 'utf8'))
    for (const text of written) assert.ok(!/471[1-3]|onerror/.test(text.replace(/[0-9a-f]{16,}|d="[^"]*"/g, '')), 'names nobody')
    assert.ok(written[1]?.includes('<html lang="de">'))
  })

  it('tell by which way they were withdrawn', async () => {
    const [relayed] = await relayWithdrawals(where, [files.get('4712') ?? ''], site.call.signal)
    assert.deepEqual(await relayWithdrawals(where, [files.get('4712') ?? ''], site.call.signal), [{ ...relayed, already: true }], 'a replay changes nothing')
    const own = consentKeys(fromHex(receipt('4713').secret), PROGRAMME)
    const key = await connectChain({ url: where.chain, contracts: address(where.contracts), signer: toHex(own.privateKey), signal: site.call.signal })
    await key.withdraw(programmeId(PROGRAMME), own.blind, own.oneTimeAddress, '0x')
    await key.stop()
    const { tag } = receipt('4711')
    const [done] = await asOmbudsman({ tags: [tag.toUpperCase().replace('0X', '0x')] })
    assert.ok(done?.tag === tag && done.block > 0 && !done.already)
    assert.equal((await asOmbudsman({ receipts: [files.get('4711') ?? ''] }))[0]?.already, true)

    const stranger = join(site.dir, 'stranger.json')
    await writeFile(stranger, JSON.stringify(receiptOf({ secret: secretOf('nobody') })))
    const { receipts } = await consentStatus({
      ...site.call,
      programme: undefined,
      receipts: [...['4711', '4712', '4713'].map((p) => files.get(p) ?? ''), stranger],
    })
    const roads = receipts.map(({ history }) => history.flatMap((entry) => (entry.what === 'withdrawn' ? [entry.road] : [])))
    assert.deepEqual(roads, [['ombudsman'], ['relayed'], ['called by the key'], []])
    const [first] = receipts
    assert.partialDeepStrictEqual(
      first?.history.find(({ what }) => what === 'granted'),
      { terms: { version: 1, digest: receipt('4711').terms?.digest } },
    )
    // Who withdrew with the card gets a paper too, and it does not say that it was at the desk.
    const [paper] = await countersign({ ...site.call, which: { programme: PROGRAMME, patient: '4712' } })
    assert.deepEqual([paper?.receipt.by, paper?.receipt.tag, paper?.receipt.onChain?.block], ['chain', receipt('4712').tag, relayed?.block])
    assert.deepEqual(readWithdrawalReceipt(readFileSync(paper?.file ?? '', 'utf8')), paper?.receipt)
    assert.match(readFileSync(paper?.sheet ?? '', 'utf8'), /<dt>Noted here on<.dt>/)
    assert.deepEqual([receipts[3]?.here, receipts[3]?.countersignedBy, receipts[3]?.history.map(({ what }) => what)], ['unknown', null, ['granted']])
  })

  it('are written anew with what happened, in the words of the record and the chain', async () => {
    const file = files.get('4711') ?? ''
    const before = receipt('4711')
    const { seal: _, secret, card: __, ...rest } = before
    const nodeKey = drawn('a key of their own')
    const signer = { nodeKey, account: addressOf(secp256k1.getPublicKey(nodeKey, false)) }
    const forged = completeReceipt(
      receiptContent({ ...rest, site: { id: 0, name: 'A better hospital' }, grantedAt: '2001-01-01T00:00:00Z' }, signer),
      fromHex(secret),
    )
    await writeFile(file, JSON.stringify(forged))
    const status = async () => (await consentStatus({ ...site.call, programme: undefined, receipts: [file], renew: true })).receipts[0] ?? assert.fail()
    assert.equal((await status()).countersignedBy, null, 'of no member')
    const { countersignedBy, renewed, history } = await status()
    const { history: told, ...now } = receipt('4711')
    assert.deepEqual([countersignedBy, renewed?.file, now.site, now.grantedAt, now.terms], ['Basel', file, before.site, before.grantedAt, before.terms])
    assert.deepEqual(told, JSON.parse(JSON.stringify(history)))
    assert.partialDeepStrictEqual((now['dpv:hasRecordOfActivity']['dpv:hasConsentStatus'] as object[])[1], {
      '@type': 'dpv:ConsentWithdrawn',
      'dpv:hasIndicationMethod': 'on chain, ombudsman',
    })
    const sheet = readFileSync(renewed?.sheet ?? '', 'utf8')
    assert.ok(sheet.includes('What happened so far') && sheet.includes('withdrawn for everybody, block'))
  })

  it('are checked anywhere: who signed them, and that the root on chain holds them', async () => {
    const check = (file: string) => checkReceipt({ receipt: file, chain: where.chain, contracts: undefined, signal: site.call.signal })
    const { valid, countersignedBy, inclusionHolds, withdrawnAtBlock } = await check(files.get('4712') ?? '')
    assert.deepEqual([valid, countersignedBy, inclusionHolds, (withdrawnAtBlock ?? 0) > 0], [true, 'Basel', true, true])
    const { programme, tag, oneTimeAddress, secret, grantedAt, network } = receipt('4712')
    const old = join(site.dir, 'old.json')
    await writeFile(old, JSON.stringify({ version: 1, programme, tag, oneTimeAddress, secret, grantedAt, network }))
    assert.deepEqual([(await check(old)).valid, (await check(old)).tag], [false, tag])
    const foreign = join(site.dir, 'foreign.json')
    const own = { network, site: receipt('4712').site }
    await writeFile(foreign, JSON.stringify(receiptOf(own)))
    assert.match((await check(foreign)).reason, /no member of the network/)
  })

  it('are withdrawn by no other key than the one that the terms name', async () => {
    const keystore = join(site.dir, 'another.json')
    await createAccount(keystore, 'pass', systemRandom)
    const tag = digest(toHex(drawn('a tag')))
    await refused(asOmbudsman({ keystore, tags: [tag] }), 'ROTA-5402')
    await refused(asOmbudsman({ tags: ['0x12'] }), 'ROTA-6021')
    await refused(asOmbudsman({ password: null, tags: [tag] }), 'ROTA-1308')
  })

  it('end at the desk with a countersigned confirmation', async () => {
    await recordConsents({ ...site.call, programme: PROGRAMME, patients: { names: ['4712'] }, receipts: join(site.dir, 'again') })
    const atDesk = { ...site.call, programme: PROGRAMME, patient: '4712' }
    await refused(withdrawAtDesk({ ...atDesk, receipts: undefined, language: 'xx' }), 'ROTA-6023')
    const done = await withdrawAtDesk({ ...atDesk, receipts: join(site.dir, 'again'), language: 'de' })
    const { receipt: confirmed, file, sheet } = done.confirmation
    assert.deepEqual(readWithdrawalReceipt(readFileSync(file, 'utf8')), confirmed)
    assert.deepEqual([confirmed.tag, confirmed.onChain?.block, done.problem], [done.tag, done.relayed?.block, null])
    assert.ok(readFileSync(sheet, 'utf8').includes('Ihre Einwilligung ist widerrufen'))
    await confirmationIsChecked(confirmed, done.relayed?.block)
    const { receipts } = await consentStatus({ ...site.call, programme: undefined, receipts: [files.get('4712') ?? ''] })
    assert.equal(receipts[0]?.here, 'withdrawn', 'the first one is still known here after another was given')
    await refused(withdrawAtDesk({ ...atDesk, receipts: undefined }), 'ROTA-6004')
  })

  /** By anybody, against the chain. */
  async function confirmationIsChecked(confirmed: WithdrawalReceipt, block: number | undefined): Promise<void> {
    const at = join(site.dir, 'checked.json')
    const check = async (text: string) => {
      await writeFile(at, text)
      return checkConfirmation({ confirmation: at, chain: where.chain, contracts: undefined, signal: site.call.signal })
    }
    const verdict = await check(JSON.stringify(confirmed))
    assert.deepEqual([verdict.valid, verdict.countersignedBy, verdict.withdrawnAtBlock], [true, 'Basel', block])
    assert.match(confirmationText(verdict, plain), /The confirmation holds, signed by Basel/)
    const { '@context': _, '@id': __, '@type': ___, seal: ____, ...said } = confirmed
    const key = consentKeys(secretOf('nobody'), PROGRAMME)
    const forged = withdrawalReceipt(said, { account: key.oneTimeAddress, nodeKey: key.privateKey })
    assert.match((await check(JSON.stringify(forged))).reason, /no member of the network has the account/)
    const { vault } = await openSiteFolder(site.folder, null)
    const signer = { account: vault.nodeAccount, nodeKey: fromHex(vault.nodeKey) }
    const lies = [{ onChain: { block: 1 } }, { root: { epoch: 1, root: confirmed.tag as Digest, block: 1 } }, { network: null }].map((change) =>
      withdrawalReceipt({ ...said, ...change }, signer),
    )
    const told: string[] = []
    for (const lie of lies) told.push((await check(JSON.stringify(lie))).reason)
    for (const [i, reason] of [/not withdrawn in the block/, /root that it names is not on the chain/, /not countersigned/].entries())
      assert.match(told[i] ?? '', reason)
    for (const text of ['{', JSON.stringify({ ...confirmed, withdrawnAt: '2020-01-01T00:00:00.000Z' })]) await refused(check(text), 'ROTA-6034')
  }

  it('say so when their time is over, and are counted no more', async () => {
    const status = async () => {
      const { programmes, receipts } = await consentStatus({ ...site.call, programme: PROGRAMME, receipts: [file] })
      return { ...programmes[0], ...receipts[0] }
    }
    const made = await recordConsents({ ...site.call, programme: PROGRAMME, patients: { names: ['4714'] }, receipts: join(site.dir, 'short') })
    const file = made.receipts[0]?.file ?? ''
    const before = await status()
    const { consents } = await openSiteFolder(site.folder, null)
    const entry = (await consents.entriesUnder(PROGRAMME)).at(-1) ?? assert.fail()
    await consents.append([{ ...entry, until: '2020-02-01T00:00:00.000Z' }])
    const now = await status()
    assert.deepEqual([before.here, before.granted, before.ended, now.here, now.granted, now.ended], ['granted', 2, 0, 'ended', 1, 1])
    assert.deepEqual(now.history?.[0], { what: 'ended', at: '2020-02-01T00:00:00.000Z' })
  })

  it('given again on the page, show what the patient signed', async () => {
    const [patient, page] = ['of two minds', 'https://ipfs.example/ipfs/page']
    const config = sitePaths(site.folder).config
    const before = readFileSync(config, 'utf8')
    await writeFile(config, `${before}portal: { listen: 127.0.0.1:0, page: '${page}' }\n`)
    const call = { ...site.call, programme: PROGRAMME }
    const { receipts } = await recordConsents({ ...call, patients: { names: [patient] }, receipts: join(site.dir, 'again') })
    const first = readReceiptText(readFileSync(receipts[0]?.file ?? '', 'utf8')) as ReceiptV2
    assert.deepEqual([first.page, first.card?.startsWith(`${page}#v=1`)], [page, true])
    const [given] = (await showConsents({ ...call, patient })).entries
    assert.deepEqual([given?.kind, given?.road, given?.tag, given?.terms?.version, given?.agreement], ['granted', 'desk', first.tag, 1, null])

    const next = { ...consentKeys(secretOf('a new card'), PROGRAMME), terms: 1 }
    const what = askAgain(next)
    await atSite(site.call, async (at) => {
      const domain = consentDomain(BigInt(first.network.chainId), first.network.consentRegistry)
      const portal = siteAnswers(at, systemClock)
      await portal.stopNow(programmeId(PROGRAMME), first.tag)
      const request = signRequest(fromHex(`0x${first.secret}`), PROGRAMME, { what, at: 1_800_000_000 }, domain)
      await portal.again(request, { state: 'on chain', tag: first.tag, block: 1, time: 1 }, next)
    })
    const shown = await showConsents({ ...call, patient })
    assert.deepEqual(
      shown.entries.map(({ kind, road }) => `${kind} ${road}`),
      ['granted desk', 'withdrawn page', 'granted page'],
    )
    const { agreement, tag } = shown.entries[2] ?? assert.fail('no entry')
    assert.deepEqual([agreement?.holds, agreement?.signer, agreement?.tag, agreement?.what, tag], [true, first.oneTimeAddress, first.tag, what, next.tag])
    assert.match(shownText(shown, plain), /Signed by the patient on the page, 2027-01-15 08:00:00 UTC: holds/)

    // Somebody with the site's keys who claims another version of the terms than was signed.
    const { consents, vault } = await openSiteFolder(site.folder, null)
    const last = (await consents.entriesOf(patientDigest(vault, patient))).at(-1)
    if (last?.kind !== 'granted' || last.terms === undefined) assert.fail('no consent')
    await consents.append([{ ...last, terms: { ...last.terms, version: 2 } }])
    assert.equal((await showConsents({ ...call, patient })).entries.at(-1)?.agreement?.holds, false)
    await refused(showConsents({ ...call, patient: 'nobody' }), 'ROTA-6031')
    await writeFile(config, before)
  })

  it('the desk stops at once while the chain is away', async () => {
    await site.chain.stop()
    const done = await withdrawAtDesk({ ...site.call, programme: PROGRAMME, patient: HTML_NAME, receipts: undefined, patienceMs: 300 })
    assert.deepEqual([done.tag, done.problem?.code, done.confirmation.receipt.seal], [receipt(HTML_NAME).tag, 'ROTA-5001', null])
    assert.ok(readFileSync(done.confirmation.sheet, 'utf8').includes('Not countersigned yet'))

    // An objection has no tag, and the same number on each of its papers.
    const objecting = { ...site.call, programme: PROGRAMME, patient: 'nobody yet', receipts: undefined, patienceMs: 1 }
    const [first, again] = [await withdrawAtDesk(objecting), await confirmAgain(objecting)]
    assert.deepEqual([first.tag, again.problem?.code, again.confirmation.file], [null, 'ROTA-5001', first.confirmation.file])
    await rm(first.confirmation.file)

    // When it is back, the same paper gets its signature; of what the record does not know, nothing.
    const chain = await startAnvil({ stateFile: join(site.dir, 'chain.json'), port: site.chain.port })
    const { file, receipt: printed } = done.confirmation
    try {
      const forged = file.replace(/[0-9a-f]{16}\.json$/, '0123456789abcdef.json')
      await writeFile(forged, JSON.stringify({ ...printed, tag: toHex(drawn('no tag')) }))
      await refused(countersign({ ...site.call, which: { files: [forged] } }), 'ROTA-6031')
      await refused(countersign({ ...site.call, which: { files: [files.get('4711') ?? ''] } }), 'ROTA-6001')
      await rm(forged)
      const [later, ...others] = await countersign({ ...site.call, which: { files: [] }, language: 'de' })
      assert.deepEqual([later?.file, later?.receipt.number, later?.receipt.tag, others], [file, printed.number, printed.tag, []])
      assert.deepEqual(readWithdrawalReceipt(readFileSync(file, 'utf8')), later?.receipt)
      assert.ok(readFileSync(later?.sheet ?? '', 'utf8').includes('Vom Krankenhaus gegengezeichnet'))
      assert.deepEqual(await countersign({ ...site.call, which: { files: [] } }), [], 'once')
      const [again] = await countersign({ ...site.call, which: { programme: PROGRAMME, patient: HTML_NAME } })
      assert.deepEqual([again?.file, again?.receipt.withdrawnAt], [file, later?.receipt.withdrawnAt])
      await refused(countersign({ ...site.call, which: { programme: PROGRAMME, patient: '4714' } }), 'ROTA-6030')
      await refused(countersign({ ...site.call, which: { programme: PROGRAMME, patient: 'nobody' } }), 'ROTA-6031')
    } finally {
      await chain.stop()
    }
  })
})
