import type { BackupAnswer } from '#app/backup/backup.ts'
import type { RestoreAnswer } from '#app/backup/restore.ts'

export const backupText = ({ file, site, files, better }: BackupAnswer): string =>
  [
    `${site} is in ${file}: ${files.join(', ')}.`,
    'It opens with the password of the keys alone: keep the two apart.',
    ...better.map((keystore) => `${keystore} is still in the folder, so it is in the backup too. It is safer on another machine.`),
  ].join('\n')

export const restoreText = ({ folder, site, made, missing }: RestoreAnswer): string =>
  [
    `${site} is in ${folder} again, as of ${made}.`,
    ...missing.map((path) => `Put back by hand: ${path}`),
    'Record again what the desk took in since then. Withdrawals that are on the chain are known by themselves.',
    `Next, when the old node is off for good: rota doctor --folder ${folder}`,
  ].join('\n')
