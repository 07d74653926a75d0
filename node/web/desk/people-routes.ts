import type { Context, Hono } from 'hono'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { DeskAct } from '#wire/desk-api.ts'
import { patientName, programmeName, textsIn } from './answers.ts'
import type { DeskParts } from './desk-app.ts'
import type { DeskConfirmed, DeskRecorded, DeskWithdrew } from './desk-work.ts'
import type { SignedIn } from './guards.ts'
import type { Prints } from './prints.ts'

const MOST = { patient: 200, programme: 128, language: 35 }

/** One person at a time, by the hospital's own identifier, which is in the body: addresses end up in histories and logs. */
export function peopleRoutes(app: Hono<SignedIn>, { work, looks }: Pick<DeskParts, 'work' | 'looks'>, prints: Prints): void {
  /** Looked at first, noted before it is done and once it is done. */
  async function begin(c: Context<SignedIn>) {
    const texts = await textsIn(c, MOST)
    const act: DeskAct = { ...texts, patient: patientName(texts.patient), programme: programmeName(texts.programme) }
    const [who, digest] = [c.var.session.user.name, work.digestOf(act.patient)]
    await looks.note(who, 'looked', digest, act.programme)
    const done = (what: 'recorded' | 'withdrew' | 'confirmed'): Promise<void> => looks.note(who, what, digest, act.programme)
    return { act, who, digest, done }
  }
  const kept = <T extends DeskRecorded | DeskWithdrew | DeskConfirmed>(who: string, digest: Digest, { print, ...told }: T) => ({
    ...told,
    print: prints.keep(who, digest, print),
  })

  app.get('/api/programmes', async (c) => c.json({ programmes: await work.programmes() }))

  app.post('/api/people/find', async (c) => {
    const patient = patientName((await textsIn(c, { patient: MOST.patient })).patient)
    await looks.note(c.var.session.user.name, 'looked', work.digestOf(patient))
    return c.json(await work.find(patient))
  })

  app.post('/api/people/record', async (c) => {
    const { act, who, digest, done } = await begin(c)
    const made = await work.record(act)
    await done('recorded')
    return c.json(kept(who, digest, made))
  })

  app.post('/api/people/withdraw', async (c) => {
    const { act, who, digest, done } = await begin(c)
    const withdrawn = await work.withdraw(act)
    await done('withdrew')
    return c.json(kept(who, digest, withdrawn))
  })

  app.post('/api/people/confirm', async (c) => {
    const { act, who, digest, done } = await begin(c)
    const made = await work.confirm(act)
    await done('confirmed')
    return c.json(kept(who, digest, made))
  })

  // Withdrawn and recorded anew: whoever found the old card can do nothing with it. The withdrawal stands though the rest may fail.
  app.post('/api/people/lost-card', async (c) => {
    const { act, who, digest, done } = await begin(c)
    const old = await work.withdraw(act)
    await done('withdrew')
    const withdrawn = kept(who, digest, old)
    const made = await work.record(act).catch((error) => {
      if (!isRotaError(error)) throw error
      return { problem: { code: error.code, what: error.message, remedy: error.remedy } }
    })
    if (!('print' in made)) return c.json({ withdrawn, recorded: null, problem: made.problem })
    await done('recorded')
    return c.json({ withdrawn, recorded: kept(who, digest, made), problem: made.problem ?? old.problem })
  })
}
