// One set-up at a time in one folder: a second command waits for the first.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './say.mjs'

const POLL_MS = 300

/** Does `work` while no other process of this folder does. A lock whose owner is gone counts for nothing. */
export async function alone(root, work) {
  const lock = join(root, '.cache', 'setup.lock')
  mkdirSync(join(root, '.cache'), { recursive: true })
  for (let told = false; !take(lock); told = true) {
    if (!told) say('another command is setting up; waiting for it')
    await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!lives(lock)) rmSync(lock, { force: true })
    return false
  }
}

function lives(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
