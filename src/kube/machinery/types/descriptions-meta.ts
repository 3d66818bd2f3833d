/** Words for what all objects have in common, and for access rules. */
export const metaDescriptions = `
meta.v1/ObjectMeta: What every stored object has, whatever its kind.
  name: Unique among the objects of its kind in its namespace (or in the cluster, for kinds without namespaces). It cannot change.
  generateName: A prefix: when no name is given, the server appends random characters to it and takes that for the name.
  namespace: The space in which the name is unique. Empty for kinds of cluster scope. It cannot change.
  selfLink: No longer set by servers.
  uid: Set by the server: tells this object from all that had or will have its name.
  resourceVersion: Set by the server: names this state of the object. Compare it for equality alone. Sent with an update, it makes the update fail if the object has changed since.
  generation: Set by the server: counts the changes of what is wanted.
  creationTimestamp: Set by the server: when the object was created.
  deletionTimestamp: Set by the server when deletion was asked for: the object goes at that time, or when its finalizers are through.
  deletionGracePeriodSeconds: Set by the server: seconds that the object was given to end by itself.
  labels: Keys and values by which objects are grouped and selected.
  annotations: Keys and values that tools keep with the object; nothing is selected by them.
  ownerReferences: The objects that this one depends on. When all of them are gone, it is collected.
  finalizers: Names of those who have work to do before the object may go. Each takes its own name off the list.
  managedFields: Who has set which fields, kept by the server for server-side apply.
meta.v1/ListMeta: What all lists have.
  resourceVersion: The state of the store that the list shows; a watch may begin there.
  continue: Not empty if there is more: sent with the next request, it goes on where this one ended.
  remainingItemCount: How many objects are left, if the server knows.
  selfLink: No longer set by servers.
meta.v1/OwnerReference: Names an object that this one depends on, in the same namespace or of cluster scope.
  apiVersion: Group and version of the owner.
  kind: Kind of the owner.
  name: Name of the owner.
  uid: Uid of the owner: another object of the same name is not meant.
  controller: True for the one owner that manages this object.
  blockOwnerDeletion: When the owner is deleted in the foreground, it waits until this object is gone.
meta.v1/ManagedFieldsEntry: The fields that one manager has set.
  manager: Name of the manager.
  operation: Apply or Update: the way in which the fields were set.
  apiVersion: The version of the kind in which the fields are named.
  time: When the set of fields last changed.
  fieldsType: The form of fieldsV1; there is only FieldsV1.
  fieldsV1: The fields, as a tree of their names.
  subresource: The subresource that was written, such as status.
meta.v1/LabelSelector: Chooses objects by their labels. All parts must match; an empty selector matches everything.
  matchLabels: Labels that the object must have, with these values.
  matchExpressions: Requirements on single labels.
meta.v1/LabelSelectorRequirement: A requirement on the values of one label.
  key: The label.
  operator: In, NotIn, Exists or DoesNotExist.
  values: The values of In and NotIn.
meta.v1/Condition: One aspect of the current state of an object.
  type: Name of the aspect.
  status: True, False or Unknown.
meta.v1/DeleteOptions: How an object is to be deleted.
  gracePeriodSeconds: Seconds that the object has to end by itself; 0 deletes at once. Absent: the kind's own default.
  preconditions: Must hold, or nothing is deleted.
  propagationPolicy: What becomes of dependents: Orphan leaves them, Background deletes them later, Foreground deletes them first.
  orphanDependents: The older form of propagationPolicy.
  dryRun: All goes through every step of the deletion but the last.
meta.v1/Preconditions: What must hold before an object is touched.
  uid: The uid that it must have.
  resourceVersion: The resourceVersion that it must have.
rbac.v1/Role: Rules about what may be done in one namespace.
  rules: What may be done.
rbac.v1/ClusterRole: Rules about what may be done anywhere in the cluster, or in any one namespace that a RoleBinding gives it.
  rules: What may be done.
  aggregationRule: Makes the rules the sum of those of other cluster roles.
rbac.v1/AggregationRule: Which cluster roles are summed up.
  clusterRoleSelectors: A cluster role that any of them selects is taken in.
rbac.v1/PolicyRule: One permission: verbs on resources, or on paths that are no resources.
  verbs: What may be done, such as get, list or create; * is everything.
  apiGroups: Groups of the resources; the core group is the empty text, * is all.
  resources: Plural names of the resources, subresources as pods/log; * is all.
  resourceNames: Names of objects that the rule is restricted to. Empty: all.
  nonResourceURLs: Paths that are no resources, such as /metrics; a * may end them. For cluster roles alone.
rbac.v1/RoleBinding: Gives a role to subjects, in the namespace of the binding.
  subjects: Who gets the role.
  roleRef: The role or cluster role. It cannot change.
rbac.v1/ClusterRoleBinding: Gives a cluster role to subjects, in the whole cluster.
  subjects: Who gets the role.
  roleRef: The cluster role. It cannot change.
rbac.v1/RoleRef: Names a role.
  apiGroup: Always rbac.authorization.k8s.io.
  kind: Role or ClusterRole.
  name: Its name.
rbac.v1/Subject: A user, a group or a service account.
  kind: User, Group or ServiceAccount.
  apiGroup: rbac.authorization.k8s.io for users and groups, empty for service accounts.
  name: Its name.
  namespace: Of a service account.
apiextensions.v1/CustomResourceDefinition: Adds a kind of its own to the API. Its name is plural.group.
apiextensions.v1/CustomResourceDefinitionSpec: What the new kind looks like.
  group: The API group, such as example.com.
  names: What the kind is called.
  scope: Namespaced or Cluster.
  versions: The versions of the kind. One of them is that of the store.
  conversion: How objects go from one version to another.
  preserveUnknownFields: Must be false.
apiextensions.v1/CustomResourceDefinitionNames: What a kind is called in paths, objects and by people.
  plural: In paths, lower case.
  singular: For people, lower case. Default: the kind in lower case.
  kind: In objects, CamelCase.
  listKind: Of lists. Default: the kind and List.
  shortNames: Abbreviations for the command line.
  categories: Names of groups of kinds that this one belongs to, such as all.
apiextensions.v1/CustomResourceDefinitionVersion: One version of a kind.
  name: Such as v1 or v1beta1.
  served: Whether the API answers for it.
  storage: Whether objects are stored in it.
  schema: What objects must look like.
  subresources: Whether there are /status and /scale.
  additionalPrinterColumns: Columns that kubectl get shows besides the name.
  deprecated: Requests get a warning.
apiregistration.v1/APIService: One version of one API group, and who serves it.
apiregistration.v1/APIServiceSpec: Where an API group version is served, and its place among the others.
  service: The service that serves it. Absent: this server.
  group: The API group.
  version: Its version.
  groupPriorityMinimum: Groups with a higher number come first.
  versionPriority: Versions of one group with a higher number come first.
  caBundle: Certificates, PEM in base64, by which that of the service is checked.
  insecureSkipTLSVerify: The certificate of the service is not checked. For tests alone.
`;
