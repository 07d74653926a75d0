import { command } from '../command-file.ts'
import { choice, flag, text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const desk = command({
  name: 'desk',
  group: 'Consent',
  summary: "serve the desk, where a steward records and withdraws patients' consents in a browser",
  description: `For people with an account (rota desk user add). Listens on this machine alone; to reach it from others, let a proxy speak TLS before it and
name its address as desk.url in rota.yaml. Every look at a person is noted in state/desk.log. Runs beside the node, until it is stopped.`,
  options: {
    ...siteOptions,
    listen: text('ADDRESS:PORT', 'where to listen', '127.0.0.1:8470'),
    logFormat: choice(['human', 'json'], 'log lines for people or machines (default human)', 'human'),
    logFile: text('FILE', 'append the log here instead of standard error; SIGHUP opens it again'),
  },
  example: 'rota desk --folder ./cleveland --listen 127.0.0.1:8470',
  async run({ options, out, signal }) {
    const { runDesk } = await import('#app/desk/serve-desk.ts')
    const { deskStartedText } = await import('#cli/output/desk-text.ts')
    const log = { format: options.logFormat, level: 'info' as const, ...(options.logFile === undefined ? {} : { file: options.logFile }) }
    await runDesk({ folder: options.folder, password: passwordFrom(options), listen: options.listen, log, signal }, (event) => {
      out.event(event)
      if (!out.json) out.line(deskStartedText(event, out.style))
    })
    return 0
  },
})

export const desk_user_add = command({
  name: 'desk user add',
  group: 'Consent',
  summary: 'let a person sit at the desk',
  description: `Asks for a password, and shows once the secret for one-time codes, as a picture and as a link for an app. One account for each person: the log says
who did what. With --oidc the person signs in at the hospital's own service (desk.oidc in rota.yaml), and NAME is what that calls them.`,
  arguments: '<name>',
  options: {
    ...siteOptions,
    userPasswordFd: whole('N', "file descriptor to read the person's password from, instead of asking", { from: 0 }),
    oidc: flag("signs in at the hospital's own service"),
  },
  example: 'rota desk user add anna --folder ./cleveland',
  async run({ options, args, out }) {
    const { addDeskUser } = await import('#app/desk/desk-users.ts')
    const { askSecret } = await import('../ask-secret.ts')
    const { addedUserText } = await import('#cli/output/desk-text.ts')
    const { userPasswordFd: fd } = options
    const userPassword = options.oidc ? null : fd !== undefined ? { fd } : { text: await askSecret(`Password for ${args[0]}: `, 'Again: ') }
    const added = await addDeskUser({ folder: options.folder, password: passwordFrom(options), user: args[0] ?? '', userPassword })
    out.result(added, () => addedUserText(added, out.style))
  },
})

export const desk_user_remove = command({
  name: 'desk user remove',
  group: 'Consent',
  summary: "end a person's account at the desk, at once",
  arguments: '<name>',
  options: siteOptions,
  example: 'rota desk user remove anna --folder ./cleveland',
  async run({ options, args, out }) {
    const { removeDeskUser } = await import('#app/desk/desk-users.ts')
    const removed = await removeDeskUser({ folder: options.folder, password: passwordFrom(options), user: args[0] ?? '' })
    out.result(removed, () => `${out.style.good('Removed')} ${removed.user}; what the account did stays in the log.`)
  },
})

export const desk_user_list = command({
  name: 'desk user list',
  group: 'Consent',
  summary: 'show who may sit at the desk',
  options: siteOptions,
  example: 'rota desk user list --folder ./cleveland',
  async run({ options, out }) {
    const { listDeskUsers } = await import('#app/desk/desk-users.ts')
    const { usersText } = await import('#cli/output/desk-text.ts')
    const users = await listDeskUsers({ folder: options.folder, password: passwordFrom(options) })
    out.result({ users }, () => usersText(users, out.style))
  },
})

export const desk_log = command({
  name: 'desk log',
  group: 'Consent',
  summary: 'show what was done at the desk, and by whom',
  description: `With --patient: who has looked at this patient's consents, and when; the answer to a person who asks. Needs the site's password, which stewards
do not need: the desk's own log is not theirs to read.`,
  options: {
    ...siteOptions,
    patient: text('NAME', "only what concerns this patient, named as in this site's data"),
    user: text('NAME', 'only what this account did'),
    from: text('TIME', 'only from this day or time on, as 2026-11-22'),
  },
  example: ['rota desk log --folder ./cleveland --from 2026-11-22', 'rota desk log --folder ./cleveland --patient 4711'],
  async run({ options, out }) {
    const { readDeskLog } = await import('#app/desk/read-desk-log.ts')
    const { deskLogText } = await import('#cli/output/desk-text.ts')
    const { folder, patient, user, from } = options
    const log = await readDeskLog({ folder, password: passwordFrom(options), patient, user, from })
    out.result(log, () => deskLogText(log, out.style))
  },
})
