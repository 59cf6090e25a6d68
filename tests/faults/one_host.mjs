// What faults of one host have in common.
export const onOne = (fields) => ({
  plan: (chance, ids) => ({ node: chance.pick(ids) }),
  claims: ({ node }) => [`host ${node}`],
  hosts: ({ node }) => [node],
  about: ({ node }) => node,
  stays: true,
  ...fields,
});
