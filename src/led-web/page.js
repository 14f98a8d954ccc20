// SPDX-License-Identifier: MIT
// What the LEDs show comes from /events alone. While the page is hidden there is no stream: a
// browser has six connections to a host, and more pages would have none.
let body = document.body
let lost = 'The connection is lost.'
let run = 0, stop
function say(text) {
  body.querySelector('#note').textContent = text
  body.className = text && 'lost'
}
function take(event) {
  let data = event.replace(/^(event|data): ?/gm, '')
  if (event[0] == ':') return
  if (event[0] == 'e') return say(data.replace('away\n', ''))
  say('')
  let led = JSON.parse(data)
  let form = body.querySelector(`[action="leds/${led.name}"]`)
  let button = form.firstChild, on = led.state == 'ON'
  form.lastChild.textContent = led.error || ''
  button.disabled = led.error
  let flips = button.getAttribute('role')
  button.value = flips && on ? 'OFF' : 'ON'
  if (flips) button.setAttribute('aria-checked', on)
  else button.className = on ? 'lit' : ''
}
async function follow() {
  let mine = ++run
  while (mine == run) {
    let cut = stop = new AbortController
    let timer
    try {
      let got = await fetch('events?list=' + body.id, {signal: cut.signal})
      if (!got.ok) throw await got.text()
      let reader = got.body.getReader(), utf8 = new TextDecoder
      let text = ''
      for (;;) {
        // There is a comment every 30 seconds.
        timer = setTimeout(() => cut.abort(), 45e3)
        let {done, value} = await reader.read()
        clearTimeout(timer)
        // There are other LEDs now.
        if (done) return mine == run && location.reload()
        text += utf8.decode(value, {stream: true})
        let events = text.split('\n\n')
        text = events.pop()
        events.forEach(take)
      }
    } catch (why) {
      clearTimeout(timer)
      if (mine == run) say(why.trim ? why.replace('ERR ', '') : lost)
    }
    await new Promise(end => setTimeout(end, 1e3))
  }
}
function end() {
  run++
  stop && stop.abort()
}
onoffline = () => say(lost)
ononline = onpageshow = document.onvisibilitychange = () => {
  end()
  document.hidden || follow()
}
onsubmit = async event => {
  event.preventDefault()
  let form = event.target, button = form.firstChild, cut = new AbortController
  let timer = setTimeout(() => cut.abort(), 8e3)
  let wrong = ''
  form.lastChild.textContent = ''
  button.setAttribute('aria-busy', true)
  try {
    let got = await fetch(form.action, {method: 'POST', body: button.value, signal: cut.signal})
    if (!got.ok) wrong = (await got.text()).replace('ERR ', '')
  } catch {
    wrong = 'No answer: it may have been done.'
  }
  clearTimeout(timer)
  button.removeAttribute('aria-busy')
  if (wrong) form.lastChild.textContent = wrong
}
