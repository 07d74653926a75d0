import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { auc, binaryMetrics, calibrationBins, numberMetrics, rocPoints } from '#core/evaluation/metrics.ts'
import { Seeded } from '#core/model/seeded.ts'

describe('exact metrics', () => {
  it('given scores with ties, AUC counts pairs and ties half', () => {
    const random = new Seeded(3)
    const scores = Array.from({ length: 300 }, () => Math.floor(random.uniform() * 20) / 20)
    const outcomes = scores.map((s) => (random.uniform() < s ? 1 : 0))
    let wins = 0
    let pairs = 0
    for (let i = 0; i < 300; i++)
      for (let j = 0; j < 300; j++)
        if (outcomes[i] === 1 && outcomes[j] === 0) {
          pairs++
          wins += (scores[i] as number) > (scores[j] as number) ? 1 : scores[i] === scores[j] ? 0.5 : 0
        }
    assert.ok(Math.abs((auc(scores, outcomes) as number) - wins / pairs) < 1e-12)
  })

  it('given one class, AUC and ROC are not defined and the rest is; given nothing, all is null', () => {
    assert.deepEqual(binaryMetrics([0.9, 0.8], [1, 1]).auc, null)
    assert.equal(binaryMetrics([0.9, 0.8], [1, 1]).accuracy, 1)
    assert.deepEqual(rocPoints([0.9], [1]), [])
    assert.deepEqual(binaryMetrics([], []), { n: 0, accuracy: null, auc: null, logLoss: null })
    assert.deepEqual(numberMetrics([], []), { n: 0, rmse: null, meanAbsoluteError: null, r2: null })
    assert.equal(numberMetrics([1, 2], [3, 3]).r2, null)
  })

  it('given a sure and wrong score, the log loss is large and finite', () => {
    const { logLoss } = binaryMetrics([1], [0])
    assert.ok(logLoss !== null && logLoss > 29 && logLoss < 31)
  })

  it('given scores, the ROC runs from (0, 0) to (1, 1) and its area is the AUC', () => {
    const scores = [0.1, 0.4, 0.4, 0.8, 0.9, 0.3]
    const outcomes = [0, 1, 0, 1, 1, 0]
    const points = rocPoints(scores, outcomes)
    assert.deepEqual(
      [points[0]?.falsePositiveRate, points[0]?.truePositiveRate, points.at(-1)?.falsePositiveRate, points.at(-1)?.truePositiveRate],
      [0, 0, 1, 1],
    )
    let area = 0
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]] as [(typeof points)[0], (typeof points)[0]]
      area += ((b.falsePositiveRate - a.falsePositiveRate) * (a.truePositiveRate + b.truePositiveRate)) / 2
    }
    assert.ok(Math.abs(area - (auc(scores, outcomes) as number)) < 1e-12)
  })

  it('given scores at the edges, calibration bins hold each row once', () => {
    const bins = calibrationBins([0, 0.05, 0.1, 0.999, 1], [0, 1, 0, 1, 1])
    assert.deepEqual(
      bins.map((bin) => bin.n),
      [2, 1, 0, 0, 0, 0, 0, 0, 0, 2],
    )
    assert.deepEqual([bins[0]?.observed, bins[2]?.observed, bins[9]?.observed], [0.5, null, 1])
  })

  it('given predictions, rmse, absolute error and r2 are as defined', () => {
    const { rmse, meanAbsoluteError, r2 } = numberMetrics([1, 2, 3], [1, 2, 6])
    assert.deepEqual([rmse, meanAbsoluteError, r2], [Math.sqrt(3), 1, 1 - 9 / 14])
  })
})
