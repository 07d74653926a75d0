import type { Network } from './scene.ts'
import type { Stage } from './stage.ts'

/** Where to go next. */
export const farewell = ({ style }: Stage, seconds: number): string => `
${style.good(style.bold('All seven acts went as they should'))}, in ${seconds.toFixed(0)} s. Nothing is left running.

Where to go next
  npm start -- --keep               the same, and the network stays up to be tried
  npm start -- --data FILE.csv      with your rows: columns site, set, features, label
  npm run -s rota -- simulate --sites 4 --rows 200 --seed 1 --learner logistic
  npm run -s rota -- --help         every command; README.md tells how a round works and how to join for real`

/** What to try while the network is up, and how to end it. */
export function kept({ style }: Stage, root: string, { chain, contracts, hospitals, reader }: Network): string {
  const [first] = hospitals
  const folder = first?.folder ?? ''
  return `
${style.good(style.bold('All seven acts went as they should'))}, and the network is up, in ${root}

Try, from this folder
  npm run -s rota -- network show --chain ${chain} --contracts ${contracts}
  npm run -s rota -- study list --folder ${folder}
  npm run -s rota -- status --folder ${folder}
  npm run -s rota -- model show 1 --folder ${folder} --report result.html
  npm run -s rota -- study start 1 --folder ${folder}
  npm run -s rota -- consent status --folder ${folder}
  npm run -s rota -- audit verify --chain ${chain} --contracts ${contracts} --reader ${reader.keystore} --password-file ${reader.passwordFile} --store ${folder}

End it
  kill ${hospitals.map(({ pid }) => pid).join(' ')}
  npm run -s rota -- chain stop --folder ${root}/chain
  rm -r ${root}`
}
