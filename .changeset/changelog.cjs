/**
 * The lines of a CHANGELOG.md: what a changeset says, and nothing of commits, which tell users nothing. That our packages
 * move together (`fixed` in config.json) is no news in any of them.
 */
module.exports = {
  getReleaseLine: async ({ summary }) => (summary.trim().includes('\n') ? `${summary.trim()}` : `- ${summary.trim()}`),
  getDependencyReleaseLine: async () => '',
};
