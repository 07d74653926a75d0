import { command } from '../command-file.ts'
import { flag, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const stewardPasswordFile = text('FILE', "first line: the password of the steward's keystore (default: the site's)")

export const study_publish = command({
  name: 'study publish',
  group: 'Studies',
  summary: "publish a protocol: its digest on chain, its text in this site's store",
  arguments: '<protocol>',
  options: siteOptions,
  example: 'rota study publish protocol.yaml --folder ./cleveland',
  async run({ options, args, out, signal }) {
    const [{ readProtocol }, { publishStudy }] = [await import('#app/protocol/protocol-file.ts'), await import('#app/study/studies.ts')]
    const made = await publishStudy({ folder: options.folder, password: passwordFrom(options), signal }, await readProtocol(args[0] ?? ''))
    out.result(
      made,
      () => `Study ${out.style.bold(String(made.study))}, protocol ${made.digest}\nNext, at each hospital: rota study approve ${made.study} --folder DIR`,
    )
  },
})

export const study_approve = command({
  name: 'study approve',
  group: 'Studies',
  summary: "the steward's yes: this site takes part in exactly this protocol",
  description: 'Shows first which columns and how many rows it would touch, and what changed since the last protocol that was approved.',
  arguments: '<study>',
  options: { ...siteOptions, stewardPasswordFile, preview: flag('show what it would touch, and approve nothing') },
  example: ['rota study approve 1 --folder ./cleveland --preview', 'rota study approve 1 --folder ./cleveland'],
  async run({ options, args, out, signal }) {
    const { approveStudy, studyNumber } = await import('#app/study/studies.ts')
    const { previewApproval } = await import('#app/protocol/approval-preview.ts')
    const { approvalText } = await import('#cli/output/approval-text.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal, study: studyNumber(args[0] ?? '') }
    const preview = await previewApproval(call)
    if (!options.preview) {
      out.line(approvalText(preview, out.style))
      await approveStudy({ ...call, stewardPassword: options.stewardPasswordFile === undefined ? null : { file: options.stewardPasswordFile } })
    }
    out.result({ study: call.study, approved: !options.preview, preview }, () =>
      options.preview ? approvalText(preview, out.style) : `${out.style.good('Approved')} study ${call.study}`,
    )
  },
})

export const study_start = command({
  name: 'study start',
  group: 'Studies',
  summary: 'open a run of a study; the running nodes play it',
  description:
    'Looks at the last `rota canary` of the study: a run that could not finish with the limits of its protocol is refused. A run of an exact learner that a withdrawal halts is opened anew by the node of this site, under the differencing rule.',
  arguments: '<study>',
  options: {
    ...siteOptions,
    despiteCanary: flag('start although the last canary says that the run could not finish'),
    once: flag('where a withdrawal halts it, leave it to people to open another: else the node of this site does so'),
  },
  example: 'rota study start 1 --folder ./cleveland',
  async run({ options, args, out, signal }) {
    const { startRun, studyNumber } = await import('#app/study/studies.ts')
    const { startText } = await import('#cli/output/canary-text.ts')
    const study = studyNumber(args[0] ?? '')
    const opened = await startRun({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      study,
      despiteCanary: options.despiteCanary,
      again: !options.once,
    })
    out.result(opened, () => startText(study, opened, out.style))
  },
})

export const study_stop = command({
  name: 'study stop',
  group: 'Studies',
  summary: 'the steward takes this site out of a study, at once',
  description: 'Nobody stops the others alone: their runs go on while enough sites are left.',
  arguments: '<study>',
  options: { ...siteOptions, stewardPasswordFile },
  example: 'rota study stop 1 --folder ./cleveland',
  async run({ options, args, out, signal }) {
    const { studyNumber, withdrawFromStudy } = await import('#app/study/studies.ts')
    const study = studyNumber(args[0] ?? '')
    await withdrawFromStudy({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      study,
      stewardPassword: options.stewardPasswordFile === undefined ? null : { file: options.stewardPasswordFile },
    })
    out.result({ study, withdrawn: true }, () => `This site is out of study ${study}. Models that were made stay made.`)
  },
})

export const study_list = command({
  name: 'study list',
  group: 'Studies',
  summary: 'list the studies of the network and their runs',
  options: { folder: siteOptions.folder },
  example: 'rota study list --folder ./cleveland',
  async run({ options, out, signal }) {
    const { listStudies } = await import('#app/study/study-list.ts')
    const { table } = await import('#cli/output/table.ts')
    const { modeLabel } = await import('#app/results/privacy-statement.ts')
    const studies = await listStudies(options.folder, signal)
    out.result({ studies }, () =>
      table(
        ['study', 'title', 'mode', 'published by', 'approved by', 'runs'],
        studies.map((s) => [
          s.study,
          s.title ?? '(protocol not here yet)',
          modeLabel(s.mode),
          s.publisher,
          s.approved.join(', ') || '–',
          s.runs.map((r) => `${r.run} ${r.state}`).join(', ') || '–',
        ]),
        out.style,
      ),
    )
  },
})
