import { languages } from '#web/pages/shared/languages.ts'
import { Field } from '#web/pages/shared/parts.tsx'
import { useWords } from '#web/pages/shared/words.tsx'

/** The patient's language, which need not be the steward's. */
export function SheetLanguage({ value, onChoose }: { readonly value: string; readonly onChoose: (language: string) => void }) {
  const words = useWords()
  return (
    <Field label={words('sheet.language')}>
      {(input) => (
        <select {...input} value={value} onChange={(e) => onChoose(e.currentTarget.value)}>
          {Object.entries(languages).map(([code, texts]) => (
            <option key={code} value={code} lang={code}>
              {texts['language'] ?? code}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
