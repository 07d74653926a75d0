import type { CommandFile } from '../command-file.ts'
import { audit_cohort, audit_key, audit_log, audit_verify } from './audit.ts'
import { backend_install, backend_list, backend_test } from './backend.ts'
import { backup, restore } from './backup.ts'
import { canary } from './canary.ts'
import { chain_start, chain_stop } from './chain.ts'
import { consent_open, consent_prove, consent_record, consent_status, consent_verify, consent_withdraw } from './consent.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { init } from './init.ts'
import { admit, join } from './join.ts'
import { key_recover, key_rotate } from './key.ts'
import { leave } from './leave.ts'
import { model_export, model_list, model_predict, model_show } from './model.ts'
import { network_create, network_show } from './network.ts'
import { pause } from './pause.ts'
import { run } from './run.ts'
import { simulate } from './simulate.ts'
import { status } from './status.ts'
import { study_approve, study_list, study_publish, study_start, study_stop } from './study.ts'
import { study_draft } from './study-draft.ts'
import { study_show } from './study-show.ts'

/** All commands, in the order in which help lists them. */
export const commands: readonly CommandFile[] = [
  demo,
  init,
  join,
  doctor,
  run,
  status,
  pause,
  backup,
  restore,
  simulate,
  backend_list,
  backend_test,
  backend_install,
  audit_key,
  audit_log,
  audit_verify,
  audit_cohort,
  chain_start,
  chain_stop,
  network_create,
  network_show,
  admit,
  key_rotate,
  key_recover,
  leave,
  study_draft,
  study_publish,
  study_approve,
  canary,
  study_start,
  study_stop,
  study_list,
  study_show,
  model_list,
  model_show,
  model_export,
  model_predict,
  consent_record,
  consent_withdraw,
  consent_status,
  consent_prove,
  consent_verify,
  consent_open,
]
