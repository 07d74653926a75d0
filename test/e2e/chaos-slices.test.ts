import { after, before, describe, it } from 'node:test'
import type { RunId } from '#base/ids.ts'
import { assertAllClosed, type Blow, dealAndClose, tellBlow } from '../support/blows.ts'
import { leftOut, more, played } from '../support/how-much.ts'
import { slicedKills } from '../support/open-kills.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { slicedStudy } from '../support/studies.ts'

// given four hospitals in four processes, and a model that is cut into three slices
// └── when leader, standby or plain site is killed at the row where it tells its slices, or publishes, or checks what was published
//     └── others take over what it owed, and the round closes (restarted or not)

describe('kills where a model is cut into slices', { skip: leftOut('drawn', 'kills without slices are played') }, () => {
  const study = slicedStudy({ sites: 4, slices: 3 })
  const blows = played({ few: [], drawn: [0, 5, 19], all: [...slicedKills.keys()] }).map((i) => slicedKills[i] as Blow)
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    console.log(`kills with slices: ${blows.length} of ${slicedKills.length} (${more})`)
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name, { untrained: true })
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  for (const blow of blows) it(tellBlow(blow), () => dealAndClose(hospitals, run, blow))

  it('no round is lost', async () => assertAllClosed(await hospitals.stories(run)))
})
