import { startPage } from '#web/pages/shared/start.tsx'
import { PatientPage } from './patient-page.tsx'
import { takeCard } from './take-card.ts'
import './patient.css'

startPage(<PatientPage link={takeCard()} />, 'page.title')
