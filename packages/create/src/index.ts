/** Starts projects from templates. */
export { type CreatedProject, type CreateOptions, createProject, type TemplateName, templates } from './create.ts';
