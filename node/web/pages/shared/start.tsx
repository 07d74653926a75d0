import { type ComponentChildren, render } from 'preact'
import { Language } from './words.tsx'
import './style.css'

/** Puts a page into `<div id="page">`, in the reader's language. @param title key of the text that names the browser's tab */
export function startPage(page: ComponentChildren, title: string): void {
  const place = document.getElementById('page')
  if (place !== null) render(<Language title={title}>{page}</Language>, place)
}
