import type { Hono } from 'hono'
import { textsIn } from './answers.ts'
import type { DeskParts } from './desk-app.ts'
import type { SignedIn } from './guards.ts'
import type { Prints } from './prints.ts'

/** No script and nothing from elsewhere; its own styles and its own picture. */
const PRINT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Pages to print and hand over, for the steward who made them. */
export function printRoutes(app: Hono<SignedIn>, { looks }: Pick<DeskParts, 'looks'>, prints: Prints): void {
  app.get('/print/:id', async (c) => {
    const who = c.var.session.user.name
    const { html, digest } = prints.find(who, c.req.param('id'))
    await looks.note(who, 'printed', digest)
    return c.html(html, 200, { 'content-security-policy': PRINT_POLICY })
  })

  // It was handed over: nothing of it stays here.
  app.post('/api/prints/handed-over', async (c) => {
    prints.drop(c.var.session.user.name, (await textsIn(c, { print: 64 })).print)
    return c.json({})
  })
}
