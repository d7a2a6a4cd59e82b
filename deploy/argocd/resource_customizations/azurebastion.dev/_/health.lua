-- Health of every kind of azurebastion.dev, by the conditions that kstatus reads as well: Stalled needs a person,
-- Reconciling is under way, Ready says that what the spec asks of Azure is so. What is being deleted is not asked about:
-- Argo CD says "Pending deletion" of it by itself.
local health = {}

-- Written by the operator, and true when it is there.
if obj.kind == "ReachabilityReport" then
  health.status = "Healthy"
  health.message = "Written by the operator"
  return health
end

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

local function holds(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end

local function told(name)
  return conditions[name].reason .. ": " .. conditions[name].message
end

if obj.spec ~= nil and obj.spec.suspend == true then
  health.status = "Suspended"
  health.message = "spec.suspend is true"
elseif obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  health.status = "Progressing"
  health.message = "Waiting for the operator to look at it"
elseif holds("Stalled") then
  health.status = "Degraded"
  health.message = told("Stalled")
elseif holds("Reconciling") then
  health.status = "Progressing"
  health.message = told("Reconciling")
elseif conditions.Ready == nil then
  health.status = "Progressing"
  health.message = "Waiting for the condition Ready"
elseif conditions.Ready.status == "True" then
  health.status = "Healthy"
  health.message = told("Ready")
elseif conditions.Ready.status == "False" then
  health.status = "Degraded"
  health.message = told("Ready")
else
  health.status = "Progressing"
  health.message = told("Ready")
end
return health
