// What the page's server hands out beside the session.
const url = (place, values) => `${place}?${new URLSearchParams(values)}`;

async function asked(place, options) {
  const answer = await fetch(place, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

export const enter = async (token) => (await asked('/enter', { method: 'POST', body: token })).json();
export const filmUrl = (path) => url('/film', { path });
export const fileUrl = (path, save) => url('/file', save ? { path, save: 1 } : { path });
export const stripUrl = (path, count) => url('/thumbnails', { path, count });
export const look = async (path) => (await asked(url('/look', { path }))).json();
export const notes = async (path) => (await asked(url('/notes', { path }))).json();
export const files = async (path) => (await asked(url('/files', { path }))).json();
export const report = async (path) => (await asked(fileUrl(path))).json();
export const proxy = async (path) => (await (await asked(url('/proxy', { path }), { method: 'POST' })).json()).path;
export const send = async (file) =>
  (await (await asked(url('/upload', { name: file.name }), { method: 'POST', body: file })).json()).path;
