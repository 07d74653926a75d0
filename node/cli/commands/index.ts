import type { CommandFile } from '../command-file.ts'
import { audit_key, audit_log, audit_verify } from './audit.ts'
import { audit_cohort, audit_draw } from './audit-cohort.ts'
import { audit_privacy } from './audit-privacy.ts'
import { backend_install, backend_list, backend_test } from './backend.ts'
import { backup, restore } from './backup.ts'
import { canary } from './canary.ts'
import { chain_start, chain_stop } from './chain.ts'
import { consent_confirm, consent_print, consent_record, consent_show, consent_status, consent_withdraw } from './consent.ts'
import { consent_export, consent_import } from './consent-fhir.ts'
import { consent_open, consent_prove, consent_verify } from './consent-proofs.ts'
import { consent_unlearn } from './consent-unlearn.ts'
import { demo } from './demo.ts'
import { desk, desk_log, desk_user_add, desk_user_list, desk_user_remove } from './desk.ts'
import { doctor } from './doctor.ts'
import { init } from './init.ts'
import { admit, join } from './join.ts'
import { key_recover, key_rotate } from './key.ts'
import { leave } from './leave.ts'
import { model_export, model_list, model_predict, model_show } from './model.ts'
import { network_create, network_show } from './network.ts'
import { pause } from './pause.ts'
import { portal } from './portal.ts'
import { privacy_epsilon, privacy_noise, privacy_plan } from './privacy.ts'
import { privacy_status } from './privacy-status.ts'
import { programme_draft, programme_publish, programme_show } from './programme.ts'
import { relay } from './relay.ts'
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
  audit_draw,
  audit_cohort,
  audit_privacy,
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
  privacy_plan,
  privacy_status,
  privacy_epsilon,
  privacy_noise,
  programme_draft,
  programme_publish,
  programme_show,
  consent_record,
  consent_withdraw,
  consent_import,
  consent_export,
  consent_status,
  consent_prove,
  consent_verify,
  consent_open,
  consent_show,
  consent_print,
  consent_confirm,
  consent_unlearn,
  desk,
  desk_user_add,
  desk_user_remove,
  desk_user_list,
  desk_log,
  portal,
  relay,
]
